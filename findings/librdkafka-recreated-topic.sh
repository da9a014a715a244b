#!/usr/bin/env bash
# A topic is deleted and created again under a running consumer of librdkafka: what it reads then depends on the group protocol, and is wrong in
# both.
#
# One would guess: since Kafka 2.8 every topic that is created has an id of its own, and the client knows it. So a consumer whose topic is replaced
# starts where auto.offset.reset says, or reports an error.
# What happens, on Apache Kafka 4.3.1, when the topic is back before the next refresh of the metadata (every five minutes):
#   group.protocol=classic    it goes on at its old offset. The first records of the new topic, as many as it had read of the old one, are
#                             skipped without a word.
#   group.protocol=consumer   it goes on at its old offset as well; then the group gives it the new topic's partition, and it starts at 0. What
#                             it has just read comes again, after the records that lie before it.
set -euo pipefail
work=$(mktemp -d)
broker=
finish() {
  if [[ $broker ]]; then
    kill "$broker" || true
    wait "$broker" || true
  fi
  rm -rf "$work"
}
trap finish EXIT

# A broker of Apache Kafka on two free ports of this machine.
cat >"$work/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.3.1</version></dependency></dependencies>
</project>
XML
mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/jars"
read -r port controller < <(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in sockets))')
cat >"$work/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$work/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
auto.create.topics.enable=false
PROPERTIES
java -cp "$work/jars/*" kafka.tools.StorageTool format --cluster-id AAAAAAAAAAAAAAAAAAAAAA --config "$work/server.properties" >"$work/log" 2>&1
java -Xmx512m -cp "$work/jars/*" kafka.Kafka "$work/server.properties" >>"$work/log" 2>&1 &
broker=$!

python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install confluent-kafka==2.16.1
"$work/venv/bin/python" - "127.0.0.1:$port" <<'PYTHON'
import sys
import time

import confluent_kafka as kafka
from confluent_kafka.admin import AdminClient, NewTopic

print("confluent-kafka", kafka.version(), "with librdkafka", kafka.libversion()[0])
server = {"bootstrap.servers": sys.argv[1], "log_level": 2}
admin = AdminClient(server)


def create(topic):
    deadline = time.monotonic() + 60
    while True:
        try:
            return admin.create_topics([NewTopic(topic, 1, 1)], operation_timeout=10)[topic].result(20)
        except kafka.KafkaException as error:  # the broker is not up yet, or the old topic is on its way out
            if time.monotonic() > deadline:
                raise error
            time.sleep(0.1)


def produce(topic, values):
    producer = kafka.Producer(server)
    for value in values:
        producer.produce(topic, value, partition=0)
    assert producer.flush(20) == 0


def consume(consumer, until, seconds):
    """What comes until a value was seen, and for the seconds after it."""
    seen, deadline = [], time.monotonic() + 60
    while time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is None or message.error():
            continue
        seen.append(message.value().decode())
        if seen[-1] == until:
            deadline = time.monotonic() + seconds
    return seen


for protocol, expected in {
    "classic": ["new5", "new6", "new7"],
    "consumer": ["new5", "new6", "new7", *(f"new{i}" for i in range(8))],
}.items():
    topic = f"topic-{protocol}"
    create(topic)
    produce(topic, [f"old{i}" for i in range(5)])
    settings = {"group.id": topic, "group.protocol": protocol, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    consumer = kafka.Consumer({**server, **settings})
    consumer.subscribe([topic])
    assert consume(consumer, "old4", 1) == [f"old{i}" for i in range(5)]
    consumer.commit(asynchronous=False)
    admin.delete_topics([topic], operation_timeout=10)[topic].result(20)
    create(topic)
    produce(topic, [f"new{i}" for i in range(8)])
    seen = consume(consumer, "new7", 12)
    print(f"{protocol}: the new topic holds new0 to new7; the consumer saw {' '.join(seen)}")
    consumer.close()
    assert seen == expected, seen
PYTHON
