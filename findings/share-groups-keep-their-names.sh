#!/usr/bin/env bash
# A name that a share group once had is lost to consumer groups, and one of the two errors says that the group does not exist.
#
# One would guess: a group without members is nobody's. A service that tried share groups (KIP-932) and goes back to a plain consumer with the same
# group.id joins an empty group, starts at auto.offset.reset, or is told that the group is of another type.
# What happens, on Apache Kafka 4.3.1, after the only member of a share group has left: the group stays for ever, of type Share. A classic member is told
# INCONSISTENT_GROUP_PROTOCOL ("incompatible with those of existing members", of which there are none); one of the newer protocol (KIP-848) is told
# GROUP_ID_NOT_FOUND, which librdkafka takes for fatal: a group that does not exist is what every first member meets, and this one does exist.
# kafka-consumer-groups does not list it, kafka-groups does. After kafka-share-groups --delete the same consumer reads.
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
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.3.1</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>4.3.1</version></dependency>
  </dependencies>
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
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
auto.create.topics.enable=false
PROPERTIES
java -cp "$work/jars/*" kafka.tools.StorageTool format --cluster-id AAAAAAAAAAAAAAAAAAAAAA --config "$work/server.properties" >"$work/log" 2>&1
java -Xmx512m -cp "$work/jars/*" kafka.Kafka "$work/server.properties" >>"$work/log" 2>&1 &
broker=$!


python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install confluent-kafka==2.16.1
"$work/venv/bin/python" - "127.0.0.1:$port" "$work/jars/*" <<'PYTHON'
import subprocess
import sys
import time

import confluent_kafka as kafka
from confluent_kafka.admin import AdminClient, NewTopic

broker, jars = sys.argv[1:]
print("Apache Kafka 4.3.1, confluent-kafka", kafka.version(), "with librdkafka", kafka.libversion()[0])
server = {"bootstrap.servers": broker, "log_level": 0}
admin = AdminClient(server)
deadline = time.monotonic() + 60
while True:
    try:
        admin.create_topics([NewTopic("orders", 1, 1)], operation_timeout=10)["orders"].result(20)
        break
    except kafka.KafkaException as error:  # the broker is not up yet
        if time.monotonic() > deadline:
            raise error
        time.sleep(0.1)
producer = kafka.Producer(server)
producer.produce("orders", b"order")
assert producer.flush(30) == 0


def tool(name, *arguments):
    command = ["java", "-cp", jars, f"org.apache.kafka.tools.{name}", "--bootstrap-server", broker, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.stdout + "".join(line for line in done.stderr.splitlines(True) if "SLF4J" not in line)


def member(protocol):
    """What a member of the group billing gets first: the value of a record, or the error."""
    consumer = kafka.Consumer({**server, "group.id": "billing", "group.protocol": protocol, "auto.offset.reset": "earliest"})
    consumer.subscribe(["orders"])
    message = consumer.poll(60)
    consumer.close()
    error = message.error()
    return message.value() if error is None else error.str()


# It takes nothing, for a new share group starts at the end, and leaves after three seconds.
tool("consumer.ConsoleShareConsumer", "--topic", "orders", "--group", "billing", "--timeout-ms", "3000")
listed = tool("GroupsCommand", "--list")
row = next(line for line in listed.splitlines() if line.startswith("billing"))
print("kafka-groups --list:", " ".join(row.split()))
assert row.split()[1] == "Share", row
state = tool("consumer.group.ShareGroupCommand", "--describe", "--state", "--group", "billing")
print("kafka-share-groups --describe --state:", " ".join(state.split()))
assert "Empty" in state, state
assert "billing" not in tool("consumer.group.ConsumerGroupCommand", "--list")
described = tool("consumer.group.ConsumerGroupCommand", "--describe", "--group", "billing")
print("kafka-consumer-groups --list does not have it; --describe:", described.strip().splitlines()[1].split(": ")[-1])
assert "is not a consumer group" in described, described

classic, newer = member("classic"), member("consumer")
print("a member of the classic protocol:", classic)
print("a member of the newer protocol:", newer)
assert "Inconsistent group protocol" in classic, classic
assert "Fatal error" in newer and "group id does not exist" in newer, newer

print("kafka-share-groups --delete:", " ".join(tool("consumer.group.ShareGroupCommand", "--delete", "--group", "billing").split()))
after = member("consumer")
print("then a member of the newer protocol:", after)
assert after == b"order", after
PYTHON
