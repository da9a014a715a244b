#!/usr/bin/env bash
# confluent-kafka's AIOProducer fails the records of others, and sends nothing ever again, when one record has a timestamp.
#
# One would guess: an argument that a producer does not support is refused where it is given, as produce() of the same class refuses headers; its
# documentation names partition, timestamp and headers together.
# What happens, in confluent-kafka 2.16.1 (the asyncio producer is new in this line): produce(..., timestamp=...) takes the record and gives a future.
# - When the buffer is sent, NotImplementedError is set on the futures of all records that wait with it, other tasks' among them. None of them is sent.
# - The records stay in the buffer. Each later flush() meets them again and raises the same error, and so does close(): what is produced afterwards is not
#   sent either, and its futures do not end.
# The synchronous Producer takes timestamps. Whom it hurts: bridges and replays that keep the time of an event, in a service where everybody shares a producer;
# a timestamp in one rare path stops all others. One producer for records with timestamps mends it, which has to be the synchronous one.
# It needs nothing but Python: librdkafka's own mock cluster is the broker.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install confluent-kafka==2.16.1
"$work/venv/bin/python" - <<'PYTHON'
import asyncio
import logging

import confluent_kafka
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.aio import AIOProducer

# It logs each failure of its buffer with a trace.
logging.disable(logging.CRITICAL)
print("confluent-kafka", confluent_kafka.version())
cluster = Producer({"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1, "log_level": 0})
[address] = [f"{broker.host}:{broker.port}" for broker in cluster.list_topics(timeout=30).brokers.values()]
ours = {"bootstrap.servers": address, "log_level": 0}


async def refusal(call):
    try:
        await call
    except NotImplementedError as error:
        return str(error)
    return None


async def shared():
    producer = AIOProducer(ours)
    # Alone, a record is sent.
    await (await producer.produce("events", b"alone", partition=0))
    # Headers are refused at once, and do no harm.
    print("headers:", await refusal(producer.produce("events", b"headers", partition=0, headers=[("a", b"1")])))
    await (await producer.produce("events", b"still well", partition=0))

    # Three tasks share the producer; one has a timestamp.
    futures = [
        await producer.produce("events", b"before", partition=0),
        await producer.produce("events", b"dated", partition=0, timestamp=1_700_000_000_000),
        await producer.produce("events", b"beside", partition=0),
    ]
    print("flush:", refused := await refusal(producer.flush()))
    assert refused and "timestamps are not currently supported" in refused
    told = [str(future.exception()) for future in futures]
    print("the three records are told:", told)
    assert told == [refused] * 3, told

    # What comes later meets what is left.
    await producer.produce("events", b"later", partition=0)
    again, closed = await refusal(producer.flush()), await refusal(producer.close())
    print("a later flush:", again, "| close:", closed)
    assert again == closed == refused


asyncio.run(shared())

synchronous = Producer(ours)
synchronous.produce("events", b"by the synchronous producer", partition=0, timestamp=1_700_000_000_000)
assert synchronous.flush(30) == 0
reader = Consumer({**ours, "group.id": "reader"})
reader.assign([TopicPartition("events", 0, 0)])
log = [record.value().decode() for record in reader.consume(3, timeout=30)]
_, end = reader.get_watermark_offsets(TopicPartition("events", 0), timeout=30)
reader.close()
print("the log holds:", log)
assert log == ["alone", "still well", "by the synchronous producer"] and end == 3, (log, end)
PYTHON
