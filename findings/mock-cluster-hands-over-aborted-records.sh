#!/usr/bin/env bash
# librdkafka's mock cluster takes part in transactions, and hands aborted records to consumers that read only what is committed.
#
# One would guess: the mock cluster (test.mock.num.brokers) answers InitProducerId, AddPartitionsToTxn and EndTxn, a transactional producer runs
# through on it, and even the offset of each transaction's marker is used up. So a test with isolation.level=read_committed shows what a
# consumer would see after an abort.
# What happens: the record of the aborted transaction is handed over as any other. The mock's fetch answers name no aborted transactions, and it is
# the client that leaves those out. Such a test passes for a consumer that reads uncommitted records, and fails for one that is right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install confluent-kafka==2.16.1
"$work/venv/bin/python" - <<'PYTHON'
import confluent_kafka as kafka

print("confluent-kafka", kafka.version(), "with librdkafka", kafka.libversion()[0])
quiet = {"log_level": 2}
# The first client starts the mock cluster, and everyone else connects to it.
cluster = kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock:9092", **quiet})
broker = next(iter(cluster.list_topics("payments", timeout=10).brokers.values()))
address = {"bootstrap.servers": f"{broker.host}:{broker.port}", **quiet}

producer = kafka.Producer({**address, "transactional.id": "t"})
producer.init_transactions(10)
for value, end in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
    producer.begin_transaction()
    producer.produce("payments", value, partition=0)
    producer.flush(10)  # the record is in the log before its transaction ends
    end(10)

consumer = kafka.Consumer({**address, "group.id": "g", "isolation.level": "read_committed", "enable.partition.eof": True})
consumer.assign([kafka.TopicPartition("payments", 0, kafka.OFFSET_BEGINNING)])
seen = []
while (message := consumer.poll(10)) is not None and not message.error():
    seen.append((message.offset(), message.value()))
consumer.close()
print("read_committed saw:", seen)
assert seen == [(0, b"aborted"), (2, b"committed")], seen
PYTHON
