#!/usr/bin/env bash
# A partition of librdkafka's mock cluster holds about 5 MB, and throws its oldest records away without a word.
#
# One would guess: a mock broker keeps what it has acknowledged for as long as it runs, or refuses when it is full.
# What happens: once a partition holds more than 5 MiB the oldest batches go, while the producer gets every acknowledgement. A consumer that starts
# late finds a log that begins in the middle; with auto.offset.reset=earliest it just skips what is gone. So a test that loads a few thousand larger
# records before it starts its consumer loses most of them. No setting raises the limit.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install confluent-kafka==2.16.1
"$work/venv/bin/python" - <<'PYTHON'
import confluent_kafka as kafka

print("confluent-kafka", kafka.version(), "with librdkafka", kafka.libversion()[0])
quiet = {"log_level": 2}
cluster = kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock:9092", **quiet})
broker = next(iter(cluster.list_topics("events", timeout=10).brokers.values()))
address = {"bootstrap.servers": f"{broker.host}:{broker.port}", **quiet}

acknowledged = 0


def report(error, message):
    global acknowledged
    acknowledged += error is None


producer = kafka.Producer({**address, "acks": "all", "linger.ms": 5})
for _ in range(2000):
    producer.produce("events", b"x" * 10_000, partition=0, on_delivery=report)
    producer.poll(0)
assert producer.flush(60) == 0

consumer = kafka.Consumer({**address, "group.id": "g", "auto.offset.reset": "earliest"})
first, end = consumer.get_watermark_offsets(kafka.TopicPartition("events", 0), timeout=10)
consumer.close()
print(f"acknowledged: {acknowledged}; still there: {end - first}, from offset {first} to {end}")
assert acknowledged == end == 2000
assert 400 < end - first <= 525, "about 5 MiB of 10 kB"
PYTHON
