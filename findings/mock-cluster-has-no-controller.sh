#!/usr/bin/env bash
# librdkafka's mock cluster names a controller that does not exist: AdminClient waits for it until its timeout.
#
# One would guess: an admin request that the mock cluster (test.mock.num.brokers) cannot answer is refused at once as unsupported, which is what
# delete_records gets. When create_topics says "Failed while waiting for controller: Timed out", the cluster is slow or not up yet, and a longer
# timeout or a retry helps.
# What happens: the mock's brokers have the numbers 1, 2, 3…, and its metadata name broker 0 as the controller. Every request that goes to the
# controller (create_topics, describe_topics, describe_cluster…) waits for a broker that never comes, however many brokers there are and however
# long the timeout is. list_topics, list_offsets and the groups' offsets work on the same client.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install confluent-kafka==2.16.1
"$work/venv/bin/python" - <<'PYTHON'
import time

import confluent_kafka as kafka
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

print("confluent-kafka", kafka.version(), "with librdkafka", kafka.libversion()[0])
admin = AdminClient({"test.mock.num.brokers": 3, "bootstrap.servers": "mock:9092", "log_level": 2})
metadata = admin.list_topics("events", timeout=10)
print("brokers:", sorted(metadata.brokers), "controller:", metadata.controller_id)
assert sorted(metadata.brokers) == [1, 2, 3] and metadata.controller_id == 0

place = kafka.TopicPartition("events", 0)
print("end of events/0:", admin.list_offsets({place: OffsetSpec.latest()}, request_timeout=10)[place].result(20).offset)


def outcome(future):
    start = time.monotonic()
    try:
        future.result(30)
    except kafka.KafkaException as error:
        return error.args[0].name(), error.args[0].str(), round(time.monotonic() - start)
    return "answered", "", 0


for name, ask in {
    "delete_records": lambda: admin.delete_records([place], request_timeout=4)[place],
    "create_topics": lambda: admin.create_topics([NewTopic("more", 1, 1)], request_timeout=4)["more"],
    "describe_topics": lambda: admin.describe_topics(kafka.TopicCollection(["events"]), request_timeout=4)["events"],
    "describe_cluster": lambda: admin.describe_cluster(request_timeout=4),
}.items():
    code, text, seconds = outcome(ask())
    print(f"{name}: {code} after {seconds} s: {text}")
    if name == "delete_records":
        assert code == "_UNSUPPORTED_FEATURE" and seconds == 0
    else:
        assert code == "_TIMED_OUT" and "waiting for controller" in text and seconds == 4
PYTHON
