#!/usr/bin/env bash
# A seek that is confirmed and followed, and undone half a second later.
#
# One would guess: a seek that librdkafka has confirmed, and after which it has fetched from the new offset, holds. What was asked before it, where the log
# begins, is outdated, and its answer is ignored.
# What happens, with a partition that was assigned at OFFSET_BEGINNING and sought before the broker had told where that is: the answer is ignored, but
# the question is asked again after 500 ms, and the partition is then read from the beginning, though nobody asks for it any more. Who
# has an offset for a partition should assign it with that offset, or with any number, and not with OFFSET_BEGINNING or OFFSET_END: a number asks nobody.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install confluent-kafka==2.16.1
"$work/venv/bin/python" - <<'PYTHON'
import time

import confluent_kafka as kafka

print("confluent-kafka", kafka.version(), "with librdkafka", kafka.libversion()[0])
# A broker inside this process, with ten records. It answers each question after 200 ms.
producer = kafka.Producer({"test.mock.num.brokers": 1, "test.mock.broker.rtt": 200, "log_level": 2})
brokers = ",".join(f"127.0.0.1:{broker.port}" for broker in producer.list_topics(timeout=10).brokers.values())
for number in range(10):
    producer.produce("orders", str(number).encode(), partition=0)
producer.flush(20)


def offsets(start):
    """What comes within five seconds of a partition that is assigned there and sought to offset 5."""
    consumer = kafka.Consumer({"bootstrap.servers": brokers, "group.id": "a-group", "log_level": 2})
    consumer.list_topics("orders", timeout=10)
    consumer.assign([kafka.TopicPartition("orders", 0, start)])
    seen, end, error = [], time.monotonic() + 10, "not tried"
    while error and time.monotonic() < end:
        try:
            consumer.seek(kafka.TopicPartition("orders", 0, 5))
            error = None
        except kafka.KafkaException as refused:
            error = refused.args[0].name()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        message = consumer.poll(0.1)
        if message is not None and not message.error():
            seen.append(message.offset())
    consumer.close()
    return error, seen


for name, start in (("OFFSET_BEGINNING", kafka.OFFSET_BEGINNING), ("offset 0", 0)):
    error, seen = offsets(start)
    print(f"assigned at {name}, then sought to 5: seek {error or 'accepted'}, offsets {seen}")
    assert error is None
    assert seen == (list(range(5, 10)) if start == 0 else [*range(5, 10), *range(10)]), seen
PYTHON
