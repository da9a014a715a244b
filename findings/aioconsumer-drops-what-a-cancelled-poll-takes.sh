#!/usr/bin/env bash
# confluent-kafka's AIOConsumer drops the record that a cancelled poll takes, and commits beyond it.
#
# One would guess: what is awaited in asyncio may be cancelled, by wait_for, by a timeout or beside a signal to stop, and a record that nobody was given is
# given to whoever asks next; aiokafka's getone() does so.
# What happens, in confluent-kafka 2.16.1 (the asyncio consumer is new in this line): poll() waits in a thread. Cancelling it ends the waiting of the task
# and not that of the thread, which goes on until its own timeout. A record that comes meanwhile is taken by the thread, and thrown away with its answer:
# the next poll gives the one after it, position() stands behind both, and commit() and the automatic commit say that all is done. The record is gone for
# this group, without an error. consume() is the same.
# Whom it hurts: loops of the form "await asyncio.wait_for(consumer.poll(...), 1)", or asyncio.wait with a poll and an event, which every service has that
# also wants to stop. A poll whose own timeout is the bound, and that is never cancelled, mends it.
# It needs nothing but Python: librdkafka's own mock cluster is the broker.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install confluent-kafka==2.16.1 aiokafka==0.14.0
"$work/venv/bin/python" - <<'PYTHON'
import asyncio
from importlib.metadata import version

import aiokafka
import confluent_kafka
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.aio import AIOConsumer

print(f"confluent-kafka {confluent_kafka.version()}, aiokafka {version('aiokafka')}")
cluster = Producer({"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1, "log_level": 0})
[address] = [f"{broker.host}:{broker.port}" for broker in cluster.list_topics(timeout=30).brokers.values()]
producer = Producer({"bootstrap.servers": address, "log_level": 0})


def send(topic, value):
    producer.produce(topic, value, partition=0)
    assert producer.flush(30) == 0


async def nothing_within(seconds, take):
    """Asks for a record while there is none, and gives up."""
    try:
        await asyncio.wait_for(take, seconds)
    except asyncio.TimeoutError:
        return
    raise AssertionError("there was a record")


async def by_confluent(topic, take):
    """The records that the application is given, and what its group has committed then."""
    consumer = AIOConsumer({"bootstrap.servers": address, "group.id": topic, "enable.auto.commit": False, "log_level": 0})
    await consumer.assign([TopicPartition(topic, 0, 0)])
    send(topic, b"first")
    given = [await take(consumer, 30)]
    await nothing_within(0.5, take(consumer, 10))
    send(topic, b"second")
    # Until somebody has it: nobody asks at this time.
    while (await consumer.position([TopicPartition(topic, 0)]))[0].offset < 2:
        await asyncio.sleep(0.05)
    send(topic, b"third")
    given.append(await take(consumer, 30))
    [committed] = await consumer.commit(asynchronous=False)
    await consumer.close()
    return given, committed.offset


async def poll(consumer, seconds):
    return (await consumer.poll(seconds)).value()


async def consume(consumer, seconds):
    return [record.value() for record in await consumer.consume(1, seconds)][0]


async def by_aiokafka(topic):
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=address, group_id=None)
    await consumer.start()
    consumer.assign([aiokafka.TopicPartition(topic, 0)])
    await consumer.seek_to_beginning()
    send(topic, b"first")
    given = [(await consumer.getone()).value]
    await nothing_within(0.5, consumer.getone())
    send(topic, b"second")
    send(topic, b"third")
    given += [(await consumer.getone()).value for _ in range(2)]
    await consumer.stop()
    return given


for name, take in [("poll", poll), ("consume", consume)]:
    given, committed = asyncio.run(asyncio.wait_for(by_confluent(f"by-{name}", take), 60))
    print(f"AIOConsumer.{name}: given {given}, committed up to {committed} of 3")
    assert given == [b"first", b"third"] and committed == 3
given = asyncio.run(asyncio.wait_for(by_aiokafka("by-aiokafka"), 60))
print("aiokafka's getone: given", given)
assert given == [b"first", b"second", b"third"]

# The records were there for whoever looks.
reader = Consumer({"bootstrap.servers": address, "group.id": "reader", "log_level": 0})
reader.assign([TopicPartition("by-poll", 0, 0)])
assert [record.value() for record in reader.consume(3, timeout=30)] == [b"first", b"second", b"third"]
reader.close()
PYTHON
