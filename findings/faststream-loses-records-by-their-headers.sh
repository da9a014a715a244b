#!/usr/bin/env bash
# FastStream commits records that no handler has seen: those with a header that is no text, such as the schema id that Confluent's serializers put there.
#
# One would guess: a header's value is bytes, or nothing, so a framework that shows headers as text still hands over the record when one is neither;
# and where it cannot, its policy for failures (NACK_ON_ERROR: come back to it) holds as for a handler that fails.
# What happens, in FastStream 0.7.8 (over confluent-kafka 2.16.1 and over aiokafka 0.14.0): each header is decoded as UTF-8 before the handler is asked.
# - __value_schema_id, 17 bytes by header_schema_id_serializer: UnicodeDecodeError in the log, the handler is not called, the next record is, and
#   the offset is committed beyond it, with NACK_ON_ERROR too. The record is gone for this group.
# - A header without a value: over aiokafka the same, by AttributeError; over confluent-kafka the header is left out and the record comes.
# - A name that stands there twice: the first value is left out by both.
# The underlying clients hand over all of it as it was sent. Whom it hurts: consumers beside a registry whose producers move the id out of the payload, and
# headers as traceparent-bin or Kafka Connect's converters write them. A parser of one's own, given to the subscriber, mends it.
# It needs nothing but Python: librdkafka's own mock cluster is the broker, and the registry is the client's own mock.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install 'faststream[confluent,kafka]==0.7.8' \
  'confluent-kafka[json,schemaregistry]==2.16.1' aiokafka==0.14.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import asyncio
import logging
from importlib import import_module
from importlib.metadata import version

import confluent_kafka
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from faststream import AckPolicy

logging.disable(logging.CRITICAL)
print(f"FastStream {version('faststream')}, confluent-kafka {confluent_kafka.version()}, aiokafka {version('aiokafka')}")

cluster = Producer({"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1, "log_level": 0})
[address] = [f"{broker.host}:{broker.port}" for broker in cluster.list_topics(timeout=30).brokers.values()]
producer = Producer({"bootstrap.servers": address, "log_level": 0})

SCHEMA = '{"title": "Number", "type": "object", "properties": {"number": {"type": "integer"}}}'
serialize = JSONSerializer(
    SCHEMA, SchemaRegistryClient.new_client({"url": "mock://registry"}), conf={"schema.id.serializer": header_schema_id_serializer}
)
LAST = 4


def send(topic):
    """Five records; the third carries its schema's id as the serializer writes it."""
    framed = []
    value = serialize({"number": 2}, SerializationContext(topic, MessageField.VALUE, framed))
    assert value == b'{"number":2}' and [(name, len(id)) for name, id in framed] == [("__value_schema_id", 17)], (value, framed)
    for number, headers in enumerate([[], [("note", None)], framed, [("tag", b"a"), ("tag", b"b")], []]):
        producer.produce(topic, b'{"number": %d}' % number, partition=0, headers=headers)
    producer.flush(30)
    return framed


def as_they_are(topic):
    """The headers that the client below hands over."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": "watcher", "log_level": 0})
    consumer.assign([TopicPartition(topic, 0, 0)])
    records = consumer.consume(LAST + 1, timeout=30)
    consumer.close()
    return [record.headers() or [] for record in records]


async def consume(kind, topic, **policy):
    """What the handler is given, and what the group has committed then."""
    library = import_module(f"faststream.{kind}")
    broker, seen, done = library.KafkaBroker(address), {}, asyncio.Event()

    @broker.subscriber(topic, group_id=topic, auto_offset_reset="earliest", **policy)
    async def handle(body: dict, message: library.KafkaMessage):
        seen[body["number"]] = dict(message.headers)
        if body["number"] == LAST:
            done.set()

    await broker.start()
    try:
        await asyncio.wait_for(done.wait(), 60)
    finally:
        await broker.stop()
    group = Consumer({"bootstrap.servers": address, "group.id": topic, "log_level": 0})
    [committed] = group.committed([TopicPartition(topic, 0)], timeout=30)
    group.close()
    return seen, committed.offset


for kind, without in [("confluent", {2}), ("kafka", {1, 2})]:
    for label, policy in [("by default", {}), ("NACK_ON_ERROR", {"ack_policy": AckPolicy.NACK_ON_ERROR})]:
        topic = f"{kind}-{len(policy)}"
        framed = send(topic)
        sent = [[], [("note", None)], framed, [("tag", b"a"), ("tag", b"b")], []]
        assert as_they_are(topic) == sent, as_they_are(topic)
        seen, committed = asyncio.run(consume(kind, topic, **policy))
        lost = set(range(LAST + 1)) - set(seen)
        print(f"faststream.{kind}, {label}: handled {seen}, never handled {sorted(lost)}, committed up to {committed}")
        assert lost == without and seen[3] == {"tag": "b"} and committed == LAST + 1
PYTHON
