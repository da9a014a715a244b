#!/usr/bin/env bash
# A record that is forwarded has two traceparent headers, and who takes it up links its work to the first sender for ever.
#
# One would guess: a producer that OpenTelemetry instruments sets `traceparent`, once, to the span that sends; W3C's Trace Context knows of one
# (https://www.w3.org/TR/trace-context/). A record that is sent again with the headers that it came with, as retry topics and redrives do it, is then
# linked to the span that sent it last.
# What happens in OpenTelemetry's instrumentation for confluent-kafka 0.66b1: the header is appended to the list that the program passed, beside what is
# there, and a consumer takes the first one. So each hop adds a header and none is seen again but the first; a retry that goes round makes the
# record larger each time. The list is the program's own: who passes the same one with each record sends the first with one traceparent, the second
# with two, the hundredth with a hundred, all of them linked to the first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip --quiet --disable-pip-version-check install confluent-kafka==2.16.1 \
  opentelemetry-sdk==1.45.1 opentelemetry-instrumentation-confluent-kafka==0.66b1
cat >hops.py <<'PYTHON'
import importlib.metadata
import time

import confluent_kafka
from opentelemetry.instrumentation.confluent_kafka import ConfluentKafkaInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

for name in ["confluent-kafka", "opentelemetry-sdk", "opentelemetry-instrumentation-confluent-kafka"]:
    print(name, importlib.metadata.version(name))
spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))


def traceparents(headers):
    return [value.decode() for name, value in headers or [] if name == "traceparent"]


# A broker inside the client: librdkafka's mock cluster.
instrumentor = ConfluentKafkaInstrumentor()
plain = confluent_kafka.Producer({"test.mock.num.brokers": 1})
topics = ["orders", "again", "batch"]
for topic in topics:  # which makes them
    plain.list_topics(topic, timeout=10)
broker = next(iter(plain.list_topics(timeout=10).brokers.values()))
server = {"bootstrap.servers": f"{broker.host}:{broker.port}"}
producer = instrumentor.instrument_producer(confluent_kafka.Producer(server), provider)
consumer = confluent_kafka.Consumer({**server, "group.id": "finding", "auto.offset.reset": "earliest", "fetch.wait.max.ms": 10})
consumer = instrumentor.instrument_consumer(consumer, provider)
consumer.subscribe(topics)


def sent(topic, headers=None):
    """Sends, and returns the headers that arrive, the span that sent, and the spans to which the consumer's span is linked."""
    spans.clear()
    producer.produce(topic, value=b"order", headers=headers)
    assert producer.flush(30) == 0
    (sending,) = spans.get_finished_spans()
    message, deadline = None, time.monotonic() + 30
    while message is None or message.error():
        assert time.monotonic() < deadline
        message = consumer.poll(1)
    taking = consumer._current_consume_span
    return message.headers(), f"{sending.context.span_id:016x}", [f"{link.context.span_id:016x}" for link in taking.links]


headers, first, linked = sent("orders")
print("sent:                 ", len(traceparents(headers)), "traceparent; the sender's span is", first, "and the consumer is linked to", linked)
assert len(traceparents(headers)) == 1 and linked == [first]
headers, second, linked = sent("again", headers)
print("forwarded:            ", len(traceparents(headers)), "traceparents; the sender's span is", second, "and the consumer is linked to", linked)
assert len(traceparents(headers)) == 2 and linked == [first]
headers, third, linked = sent("again", headers)
print("and again:            ", len(traceparents(headers)), "traceparents; the sender's span is", third, "and the consumer is linked to", linked)
assert len(traceparents(headers)) == 3 and linked == [first]

common = [("source", b"shop")]
arrived = [sent("batch", common) for _ in range(100)]
counts = [len(traceparents(headers)) for headers, _, _ in arrived]
targets = {target for _, _, linked in arrived for target in linked}
print("one list, 100 records:", counts[0], counts[1], "...", counts[-1], "traceparents; linked to", len(targets), "span; the list itself has", len(common), "headers")
assert counts == list(range(1, 101)) and targets == {arrived[0][1]} and len(common) == 101
consumer.close()
PYTHON
python/bin/python hops.py
