#!/usr/bin/env bash
# A consumer that is refused the group's offsets once owns its partition and never fetches it.
#
# One would guess: COORDINATOR_NOT_AVAILABLE is an error that the protocol calls retriable. A broker that answers OffsetFetch with it once, while a
# member of a group begins with its partitions, is asked again, as it is after COORDINATOR_LOAD_IN_PROGRESS. Or else the partitions are given up.
# What happens, with both group protocols: the application is told of the error, and librdkafka goes on, with heartbeats and with the partitions in its
# assignment, but it neither asks for the offsets again nor fetches. No other member gets the partitions, since this one owns them. A seek is refused
# (_STATE). Only to assign the partitions again helps, or to leave the group. Who gives an offset to each partition that comes asks for none.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install confluent-kafka==2.16.1
"$work/venv/bin/python" - <<'PYTHON'
import ctypes
import glob
import os
import time

import confluent_kafka as kafka

print("confluent-kafka", kafka.version(), "with librdkafka", kafka.libversion()[0])
OFFSET_FETCH, LOAD_IN_PROGRESS, NOT_AVAILABLE = 9, 14, 15
# The mock cluster is told through librdkafka's own functions, which the package does not wrap.
folder = os.path.join(os.path.dirname(os.path.dirname(kafka.__file__)), "confluent_kafka.libs")
library = ctypes.CDLL(glob.glob(os.path.join(folder, "librdkafka*.so*"))[0])
for function in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
    getattr(library, function).restype = ctypes.c_void_p
library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
settings = ctypes.c_void_p(library.rd_kafka_conf_new())
library.rd_kafka_conf_set(settings, b"log_level", b"2", None, ctypes.c_size_t(0))
owner = ctypes.c_void_p(library.rd_kafka_new(0, settings, None, ctypes.c_size_t(0)))
cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(owner, 1))
address = {"bootstrap.servers": library.rd_kafka_mock_cluster_bootstraps(cluster).decode(), "log_level": 2}

producer = kafka.Producer(address)
producer.produce("orders", b"a record")
producer.flush(10)


def watch(group, protocol, answer, on_assign=None):
    """What a member sees in 20 seconds whose first question for offsets has this answer."""
    if answer:
        library.rd_kafka_mock_push_request_errors_array(cluster, ctypes.c_int16(OFFSET_FETCH), ctypes.c_size_t(1), (ctypes.c_int * 1)(answer))
    consumer = kafka.Consumer({**address, "group.id": group, "auto.offset.reset": "earliest", "group.protocol": protocol})
    consumer.subscribe(["orders"], **({"on_assign": on_assign} if on_assign else {}))
    seen, end = [], time.monotonic() + 20
    while time.monotonic() < end and b"a record" not in seen:
        message = consumer.poll(0.2)
        if message is not None:
            seen.append(message.error().name() if message.error() else message.value())
    owned = len(consumer.assignment())
    seek = "not asked"
    if owned and b"a record" not in seen:
        try:
            consumer.seek(kafka.TopicPartition("orders", consumer.assignment()[0].partition, 0))
            seek = "accepted"
        except kafka.KafkaException as error:
            seek = error.args[0].name()
    consumer.close()
    return seen, owned, seek


def from_beginning(consumer, partitions):
    consumer.assign([kafka.TopicPartition(each.topic, each.partition, kafka.OFFSET_BEGINNING) for each in partitions])


for protocol in ("classic", "consumer"):
    for answer, code in (("no error", None), ("COORDINATOR_LOAD_IN_PROGRESS once", LOAD_IN_PROGRESS), ("COORDINATOR_NOT_AVAILABLE once", NOT_AVAILABLE)):
        seen, owned, seek = watch(f"{protocol} {answer}", protocol, code)
        print(f"{protocol}, {answer}: saw {sorted(set(map(str, seen)))}, owns {owned} partitions, a seek: {seek}")
        assert (b"a record" in seen) == (code != NOT_AVAILABLE) and owned > 0, (seen, owned)
seen, owned, _ = watch("given", "classic", NOT_AVAILABLE, from_beginning)
print(f"classic, with an offset given at the assignment: saw {seen}, owns {owned} partitions")
assert b"a record" in seen
PYTHON
