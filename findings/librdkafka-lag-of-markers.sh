#!/usr/bin/env bash
# On a topic with transactions, a consumer of librdkafka that commits what it has handled keeps a lag for ever; one that leaves the storing to
# librdkafka does not.
#
# One would guess: position() is the offset after the last record that was handed over, as its documentation says. And committing that record after
# it was handled, by commit(message) or store_offsets(message), ends at the same offset as the storing by itself does: the usual way to
# at-least-once (enable.auto.offset.store=false) is only later.
# What happens, on Apache Kafka 4.3.1, after one committed record and one that was aborted (offsets 0 to 3, markers included): nothing but the record
# at 0 is handed over, but position() goes on to 4, and so does what librdkafka stores by itself. commit(message) and
# store_offsets(message) end at 1. So the same consumer, with nothing left to read, shows a lag of 0 in the one case and of 3 for ever in the other.
# A check "consumed to the end" that compares the committed offset with the end of the log never comes true; position() has the end.
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
deadline = time.monotonic() + 60
while True:
    try:
        admin.create_topics([NewTopic("payments", 1, 1)], operation_timeout=10)["payments"].result(20)
        break
    except kafka.KafkaException as error:  # the broker is not up yet
        if time.monotonic() > deadline:
            raise error
        time.sleep(0.1)

producer = kafka.Producer({**server, "transactional.id": "t"})
producer.init_transactions(60)
for value, end in ((b"committed", producer.commit_transaction), (b"aborted", producer.abort_transaction)):
    producer.begin_transaction()
    producer.produce("payments", value, partition=0)
    producer.flush(20)
    end(20)


def consume(way, own_store):
    settings = {"group.id": way, "isolation.level": "read_committed", "enable.auto.commit": False, "enable.auto.offset.store": not own_store}
    consumer = kafka.Consumer({**server, **settings})
    place = kafka.TopicPartition("payments", 0, kafka.OFFSET_BEGINNING)
    consumer.assign([place])
    records, quiet = [], time.monotonic() + 60
    while time.monotonic() < quiet:
        message = consumer.poll(0.2)
        if message is None or message.error():
            continue
        records.append((message.offset(), message.value()))
        if way == "commit(message)":
            consumer.commit(message, asynchronous=False)
        elif own_store:
            consumer.store_offsets(message)
        quiet = time.monotonic() + 3
    if way != "commit(message)":
        consumer.commit(asynchronous=False)
    _, end = consumer.get_watermark_offsets(place, timeout=10)
    position = consumer.position([place])[0].offset
    committed = consumer.committed([place], timeout=10)[0].offset
    consumer.close()
    print(f"{way}: saw {records}; position() {position}, committed {committed}, end of the log {end}")
    assert records == [(0, b"committed")] and position == end == 4
    return committed


assert consume("stored by itself", own_store=False) == 4
assert consume("store_offsets(message)", own_store=True) == 1
assert consume("commit(message)", own_store=True) == 1
PYTHON
