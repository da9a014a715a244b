#!/usr/bin/env bash
# Quix Streams sends every record without a key to one partition.
#
# One would guess: a record without a key goes to some partition, so that all of them share the work; Java's producer, librdkafka and every client
# that is built on it do so by default, and Quix Streams is built on it (as confluent-kafka).
# What happens: its producer sets librdkafka's partitioner to murmur2, so that keys go where Java puts them. The one that does as Java does is
# murmur2_random; plain murmur2 takes no key for an empty one. All of 600 records land in one of four partitions, and three consumers
# of four are idle.
# partitioner=murmur2_random in producer_extra_config mends it, and moves no key.
# It needs nothing but Python: librdkafka's own mock cluster is the broker.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install quixstreams==3.28.1 confluent-kafka==2.12.2
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PYTHON'
from importlib.metadata import version

import confluent_kafka
from confluent_kafka import TopicPartition
from quixstreams import Application

RECORDS = 600
# The handle owns the cluster, whose topics have four partitions.
cluster = confluent_kafka.Producer({"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1, "log_level": 0})
[address] = [f"{broker.host}:{broker.port}" for broker in cluster.list_topics(timeout=30).brokers.values()]
watcher = confluent_kafka.Consumer({"bootstrap.servers": address, "group.id": "watcher", "log_level": 0})
print(f"quixstreams {version('quixstreams')}, confluent-kafka {confluent_kafka.version()}")


def spread(topic, key, **extra):
    """How many records end on each partition."""
    # Keyless records of some milliseconds stay together otherwise, on purpose, and these are sent within a few.
    extra["sticky.partitioning.linger.ms"] = 0
    with Application(broker_address=address, loglevel=None, producer_extra_config=extra).get_producer() as producer:
        for number in range(RECORDS):
            producer.produce(topic, value=b"{}", key=key(number))
    partitions = len(watcher.list_topics(topic, timeout=30).topics[topic].partitions)
    return [watcher.get_watermark_offsets(TopicPartition(topic, number), timeout=30)[1] for number in range(partitions)]


def nobody(number):
    return None


def orders(number):
    return f"order-{number}".encode()


mended = {"partitioner": "murmur2_random"}
by_default, keyed = spread("default", nobody), spread("keyed", orders)
random, keyed_too = spread("random", nobody, **mended), spread("keyed-too", orders, **mended)
print("without a key:", by_default, "with murmur2_random:", random)
print("with keys:", keyed, "with murmur2_random:", keyed_too)
assert sorted(by_default) == [0, 0, 0, RECORDS], by_default
assert all(random) and sum(random) == RECORDS, random
assert keyed == keyed_too and all(keyed), (keyed, keyed_too)
PYTHON
