#!/usr/bin/env bash
# Pathway leaves out every record whose time ends in Z, and commits beyond it.
#
# One would guess: a field of DateTimeUtc takes the times in UTC that JSON has, as pydantic, JavaScript and RFC 3339 write them: 2026-12-01T10:00:00Z. And a
# record that cannot be read ends the run, since pw.run has terminate_on_error=True unless it is told otherwise.
# What happens, in Pathway 0.33.0: such a field is read by a pattern that wants an offset in digits. 10:00:00+00:00 is a time, and 10:00:00Z is a "parse error",
# which is a line in the log and no error of the run: the record is left out, the consumer's group is committed beyond it, and the process ends with 0. The
# same befalls 100.0 in a field of int, which is how a whole number of a float is written in Python, Java and Rust.
# A sum over a topic is then the sum of what some producers send: Python's isoformat writes +00:00, and JavaScript's toISOString, Java's Instant and Rust's
# chrono (by default, with serde) write Z.
# Whom it hurts: who aggregates events with their times. A field of str takes all of them, to be parsed by the program.
# It needs nothing but Python: librdkafka's own mock cluster is the broker.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install pathway==0.33.0 confluent-kafka==2.16.1
cat >sum.py <<'PYTHON'
import json
from importlib.metadata import version

import confluent_kafka
import pathway as pw

cluster = confluent_kafka.Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})
[broker] = cluster.list_topics(timeout=10).brokers.values()
server = {"bootstrap.servers": f"{broker.host}:{broker.port}", "group.id": "sums", "auto.offset.reset": "earliest"}
TIMES = [
    "2026-12-01T10:00:00+00:00",
    "2026-12-01T12:00:00.1234567+02:00",
    "2026-12-01T10:00:00Z",
    "2026-12-01T10:00:00.123Z",
]
producer = confluent_kafka.Producer({"bootstrap.servers": server["bootstrap.servers"], "log_level": 0})
for number, at in enumerate(TIMES):
    producer.produce("orders", json.dumps({"id": number, "cents": 100, "at": at}), partition=0)
producer.produce("orders", '{"id":4,"cents":100.0,"at":"2026-12-01T10:00:00+00:00"}', partition=0)
assert producer.flush(30) == 0


class Order(pw.Schema):
    id: int
    cents: int
    at: pw.DateTimeUtc


class Text(pw.Schema):
    id: int
    at: str


def run(schema, settings):
    """Which records of the topic a run hands on; it ends at the topic's end."""
    pw.internals.parse_graph.G.clear()
    seen = []
    orders = pw.io.kafka.read(settings, topic="orders", schema=schema, format="json", mode="static")
    pw.io.subscribe(orders, lambda key, row, time, is_addition: seen.append(row["id"]))
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    return sorted(seen)


seen, as_text = run(Order, server), run(Text, {**server, "group.id": "texts"})
print("pathway", version("pathway"))
for number, at in enumerate(TIMES):
    print(f"{at}: {'read' if number in seen else 'left out'}")
print(f"100.0 as an int: {'read' if 4 in seen else 'left out'}")
assert seen == [0, 1], seen
assert as_text == [0, 1, 2, 3, 4], as_text
consumer = confluent_kafka.Consumer({**server, "log_level": 0})
[position] = consumer.committed([confluent_kafka.TopicPartition("orders", 0)], timeout=20)
consumer.close()
print("committed:", position.offset)
assert position.offset == 5, position
PYTHON
timeout 120 venv/bin/python sum.py 2>log || { cat log; exit 1; }
echo "lines of the log about it: $(grep -c 'Parse error' log)"
