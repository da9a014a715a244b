#!/usr/bin/env bash
# A group of librdkafka's cooperative-sticky takes no member of the newer protocol, once it has shared its partitions for the second time.
#
# One would guess: a running group moves from group.protocol=classic to consumer (KIP-848) member by member, as Kafka's and librdkafka's documentation
# say. cooperative-sticky is a built-in strategy of both.
# What happens, on Apache Kafka 4.3.1: what the sticky strategy notes for itself stands in the userData of each member's subscription, from its second
# JoinGroup on, and librdkafka's leader copies that into the userData of the member's assignment, where Java's leaves it empty. Since Kafka 4.0
# (KAFKA-18134) brokers take an assignment with userData for a custom strategy's, which would be lost, and refuse: ConsumerGroupHeartbeat is
# answered with GROUP_ID_NOT_FOUND. librdkafka 2.12 asks again for ever and says nothing; 2.16 ends the client with a fatal error. Only the brokers'
# log has the reason. Whoever tries it with a new group, whose members have joined once, sees it work, and so does who has members of Java, or range.
# A newcomer of 2.12 waits, and gets the partitions when the last of the others has left.
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
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
PROPERTIES
java -cp "$work/jars/*" kafka.tools.StorageTool format --cluster-id AAAAAAAAAAAAAAAAAAAAAA --config "$work/server.properties" >"$work/log" 2>&1
java -Xmx512m -cp "$work/jars/*" kafka.Kafka "$work/server.properties" >>"$work/log" 2>&1 &
broker=$!

# A member of Java's client, with the strategy of the same name. Each line is how many partitions it owns; it leaves when its input ends.
cat >"$work/Member.java" <<'JAVA'
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;

class Member {
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> settings = Map.of("bootstrap.servers", arguments[0], "group.id", arguments[1],
            "partition.assignment.strategy", CooperativeStickyAssignor.class.getName());
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of("orders"));
            while (System.in.available() == 0) {
                consumer.poll(Duration.ofMillis(100));
                System.out.println(consumer.assignment().size());
            }
        }
    }
}
JAVA
cat >"$work/upgrade.py" <<'PYTHON'
import subprocess
import sys
import threading
import time

import confluent_kafka as kafka
from confluent_kafka.admin import AdminClient, NewTopic

address, folder = sys.argv[1:]
library = kafka.libversion()[0]
print("confluent-kafka", kafka.version(), "with librdkafka", library)
server = {"bootstrap.servers": address, "log_level": 2}
admin = AdminClient(server)
deadline = time.monotonic() + 60
while True:
    try:
        admin.create_topics([NewTopic("orders", 4, 1)], operation_timeout=10)["orders"].result(20)
        break
    except kafka.KafkaException as error:  # the broker is not up yet, or the topic is there
        if error.args[0].code() == kafka.KafkaError.TOPIC_ALREADY_EXISTS:
            break
        if time.monotonic() > deadline:
            raise error
        time.sleep(0.1)


class Member:
    """A member of librdkafka."""

    def __init__(self, group, **settings):
        self.owned, self.errors, self.leaves = 0, set(), False
        self.settings = {**server, "group.id": group, **settings}
        self.thread = threading.Thread(target=self.poll, daemon=True)
        self.thread.start()

    def poll(self):
        consumer = kafka.Consumer(self.settings)
        consumer.subscribe(["orders"])
        while not self.leaves:
            message = consumer.poll(0.1)
            if message is not None and message.error():
                self.errors.add(message.error().name())
            self.owned = len(consumer.assignment())
        consumer.close()

    def leave(self):
        self.leaves = True
        self.thread.join()


class JavaMember:
    """A member of Java's client."""

    def __init__(self, group):
        self.owned = 0
        command = ["java", "-cp", f"{folder}/jars/*", f"{folder}/Member.java", address, group]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.owned = int(line)

    def leave(self):
        self.process.communicate("leave\n")


def until(condition, bound):
    end = time.monotonic() + bound
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def upgrade(name, member):
    """What a newcomer of the newer protocol owns beside a member that has shared the partitions with another one, and when that member has left."""
    group = f"{name} {library}"
    first, second = member(group), member(group)
    assert until(lambda: first.owned == second.owned == 2, 60)
    second.leave()
    assert until(lambda: first.owned == 4, 60)
    newcomer = Member(group, **{"group.protocol": "consumer"})
    let_in = until(lambda: first.owned == newcomer.owned == 2, 20)
    beside, errors = newcomer.owned, sorted(newcomer.errors)
    first.leave()
    alone = until(lambda: newcomer.owned == 4, 20)
    print(f"{name}: beside the other member it owns {beside} of 4 partitions, errors {errors}; alone {newcomer.owned}")
    newcomer.leave()
    return let_in, errors, alone


def classic(strategy):
    return lambda group: Member(group, **{"group.protocol": "classic", "partition.assignment.strategy": strategy})


assert upgrade("range", classic("range")) == (True, [], True)
assert upgrade("Java's cooperative-sticky", JavaMember) == (True, [], True)
expected = (False, [], True) if library == "2.12.1" else (False, ["_FATAL"], False)
assert upgrade("librdkafka's cooperative-sticky", classic("cooperative-sticky")) == expected
PYTHON

for version in 2.12.1 2.16.1; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" --quiet --disable-pip-version-check install "confluent-kafka==$version"
  "$work/$version/bin/python" "$work/upgrade.py" "127.0.0.1:$port" "$work"
done
