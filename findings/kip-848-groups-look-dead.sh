#!/usr/bin/env bash
# A group that consumes by the newer protocol is Dead, without members and without an error, for most libraries that describe groups; and one of
# them then "sets" the offsets of the running group.
#
# One would guess: who describes a group is told of its members whichever protocol they share by, as Kafka's own tools tell it; or else gets an error.
# What happens, on Apache Kafka 4.3.1: a group of group.protocol=consumer (KIP-848) is described by a request of its own, ConsumerGroupDescribe.
# DescribeGroups answers for it in versions 0 to 5 with the state Dead, no members and no error, as it does for a name that nobody has ever used;
# only version 6 has GROUP_ID_NOT_FOUND. aiokafka, kafkajs, @platformatic/kafka and librdkafka's older list_groups ask so, and repeat "Dead" for a
# group in full work; kafka-python asks by version 6 and has the error beside "Dead"; librdkafka's describe_consumer_groups is right.
# @platformatic/kafka does not even list the group, where the brokers list it for the others.
# kafkajs' setOffsets refuses a group that has running members by that state. For one of the newer protocol it goes on: it joins the group, takes half of
# the partitions from who consumes them, leaves, and resolves without an error; the offsets are what they were.
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

python3 -m venv "$work/python"
"$work/python/bin/pip" --quiet --disable-pip-version-check install confluent-kafka==2.16.1 kafka-python==3.0.12 aiokafka==0.14.0
npm install --silent --no-fund --no-audit --prefix "$work" kafkajs@2.2.4 @platformatic/kafka@1.35.0 >/dev/null

# One line of JSON: what each library of Node.js says of both groups.
cat >"$work/describe.js" <<'JS'
const { Kafka, logLevel } = require("kafkajs")
const { Admin } = require("@platformatic/kafka")
const [broker] = process.argv.slice(2)
const groups = ["newer", "classic"]

async function main() {
  const kafkajs = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin()
  await kafkajs.connect()
  const said = { kafkajs: {}, platformatic: {} }
  for (const group of groups) {
    const [answer] = (await kafkajs.describeGroups([group])).groups
    said.kafkajs[group] = [answer.state, answer.members.length, answer.errorCode]
  }
  said.kafkajs.listed = (await kafkajs.listGroups()).groups.map((group) => group.groupId).sort()
  const platformatic = new Admin({ clientId: "finding", bootstrapBrokers: [broker] })
  for (const group of groups) {
    const answer = (await platformatic.describeGroups({ groups: [group] })).get(group)
    said.platformatic[group] = [answer.state, answer.members.size]
  }
  said.platformatic.listed = [...(await platformatic.listGroups()).keys()].sort()
  await platformatic.close()

  // Both groups are at work.
  const next = async () => (await kafkajs.fetchOffsets({ groupId: "newer", topics: ["orders"] }))[0].partitions.map((of) => of.offset)
  said.before = await next()
  for (const group of groups) {
    const partitions = [0, 1, 2, 3].map((partition) => ({ partition, offset: "0" }))
    said.kafkajs[`setOffsets ${group}`] = await kafkajs.setOffsets({ groupId: group, topic: "orders", partitions }).then(
      () => "done",
      (error) => error.message,
    )
  }
  said.after = await next()
  await kafkajs.disconnect()
  console.log(JSON.stringify(said))
}
main()
JS

cat >"$work/groups.py" <<'PYTHON'
import asyncio
import importlib.metadata
import json
import subprocess
import sys
import threading
import time

import confluent_kafka
import kafka
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka.admin import AdminClient, NewTopic

address, folder = sys.argv[1:]
server = {"bootstrap.servers": address, "log_level": 2}
admin = AdminClient(server)
deadline = time.monotonic() + 60
while True:
    try:
        admin.create_topics([NewTopic("orders", 4, 1)], operation_timeout=10)["orders"].result(20)
        break
    except confluent_kafka.KafkaException as error:  # the broker is not up yet, or the topic is there
        if error.args[0].code() == confluent_kafka.KafkaError.TOPIC_ALREADY_EXISTS:
            break
        if time.monotonic() > deadline:
            raise error
        time.sleep(0.1)
producer = confluent_kafka.Producer(server)
for number in range(40):
    producer.produce("orders", b"order", partition=number % 4)
assert producer.flush(30) == 0


class Member:
    """Consumes all the time, and counts what was taken from it."""

    def __init__(self, group, protocol):
        self.owned, self.consumed, self.revoked = 0, 0, 0
        self.settings = {**server, "group.id": group, "group.protocol": protocol, "auto.offset.reset": "earliest", "auto.commit.interval.ms": 100}
        threading.Thread(target=self.poll, daemon=True).start()

    def poll(self):
        consumer = confluent_kafka.Consumer(self.settings)
        consumer.subscribe(["orders"], on_revoke=self.count)
        while True:
            message = consumer.poll(0.1)
            self.consumed += message is not None and not message.error()
            self.owned = len(consumer.assignment())

    def count(self, _, partitions):
        self.revoked += len(partitions)


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def committed():
    asked = [confluent_kafka.ConsumerGroupTopicPartitions("newer")]
    offsets = admin.list_consumer_group_offsets(asked)["newer"].result(20).topic_partitions
    return sorted(of.offset for of in offsets)


newer, classic = Member("newer", "consumer"), Member("classic", "classic")
until(lambda: newer.owned == classic.owned == 4 and newer.consumed == classic.consumed == 40)
until(lambda: committed() == [10] * 4)

libraries = ["confluent-kafka", "kafka-python", "aiokafka"]
print(*(f"{name} {importlib.metadata.version(name)}" for name in libraries), "librdkafka", confluent_kafka.libversion()[0])


def told(library, newer, classic):
    print(f"{library:<45} newer: {newer}, classic: {classic}")
    return newer, classic


def described(group):
    answer = admin.describe_consumer_groups([group])[group].result(20)
    return answer.state.name, len(answer.members)


def listed(group):
    (answer,) = admin.list_groups(group, timeout=20)
    return answer.state, len(answer.members), answer.error


assert told("librdkafka, describe_consumer_groups", described("newer"), described("classic")) == (("STABLE", 1), ("STABLE", 1))
assert told("librdkafka, list_groups", listed("newer"), listed("classic")) == (("Dead", 0, None), ("Stable", 1, None))


def python(client, group):
    answer = client.describe_groups([group])[group]
    return answer["group_state"], len(answer["members"]), (answer["error"] or "no error").split(":")[0]


client = kafka.KafkaAdminClient(bootstrap_servers=address)
answers = told("kafka-python, describe_groups", python(client, "newer"), python(client, "classic"))
assert answers == (("Dead", 0, "[Error 69] GroupIdNotFoundError"), ("Stable", 1, "no error"))
client.close()


async def aiokafka():
    client = AIOKafkaAdminClient(bootstrap_servers=address)
    await client.start()
    answers = []
    for group in ["newer", "classic"]:
        (answer,) = (await client.describe_consumer_groups([group]))[0].groups
        code, _, state, _, _, members = answer[:6]
        answers.append((state, len(members), code))
    await client.close()
    return answers


assert told("aiokafka, describe_consumer_groups", *asyncio.run(aiokafka())) == (("Dead", 0, 0), ("Stable", 1, 0))

answer = subprocess.run(["node", f"{folder}/describe.js", address], capture_output=True, text=True, check=True, timeout=120)
said = json.loads(answer.stdout)
for library in ["kafkajs", "platformatic"]:
    told(f"{library}, describeGroups", said[library]["newer"], said[library]["classic"])
    print(f"{library:<45} lists {said[library]['listed']}")
assert (said["kafkajs"]["newer"], said["kafkajs"]["classic"]) == (["Dead", 0, 0], ["Stable", 1, 0])
assert said["kafkajs"]["listed"] == ["classic", "newer"]
assert (said["platformatic"]["newer"], said["platformatic"]["classic"]) == (["DEAD", 0], ["STABLE", 1])
assert said["platformatic"]["listed"] == ["classic"]

answers = told("kafkajs, setOffsets to 0", said["kafkajs"]["setOffsets newer"], said["kafkajs"]["setOffsets classic"])
assert answers[0] == "done" and answers[1].startswith("The consumer group must have no running instances")
print("offsets of the newer group before", said["before"], "and after", said["after"], "partitions taken from its member meanwhile:", newer.revoked)
assert said["before"] == said["after"] == ["10"] * 4
assert newer.revoked > 0 and classic.revoked == 0
PYTHON
"$work/python/bin/python" -W ignore::DeprecationWarning "$work/groups.py" "127.0.0.1:$port" "$work"
