#!/usr/bin/env bash
# On a topic whose records the broker stamps, @platformatic/kafka shows the producer's clock.
#
# One would guess: message.timestamp of a topic with message.timestamp.type=LogAppendTime is when the broker appended the record. That is what such
# topics are made for: clocks of producers are not to be trusted.
# What happens, on Apache Kafka 4.3.1: the broker writes its time once into the head of a batch, with a bit that says so, and leaves the records
# in it as they came. This client does not look at the bit: a record that came from a clock in 2023 is of 2023, and one of
# a clock ahead lies in the future. librdkafka, kafkajs and kafka-python show the broker's time, and so does the broker's own search by time
# (ListOffsets): a consumer that starts at a time gets records that say they are older than it.
# Lag in seconds, windows and expiry by message.timestamp are wrong by whatever the producer's clock is.
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
"$work/venv/bin/pip" --quiet --disable-pip-version-check install kafka-python==3.0.12 confluent-kafka==2.16.1
cd "$work"
echo '{"private": true, "type": "module"}' >package.json
npm install --silent --no-audit --no-fund @platformatic/kafka@2.12.1 kafkajs@2.2.4 node@24.21.0 # the client needs a Node.js that is newer than many have
export PATH="$work/node_modules/.bin:$PATH"
cat >read.js <<'JS'
import { Consumer } from '@platformatic/kafka'
import kafkajs from 'kafkajs'

const [broker] = process.argv.slice(2)
const consumer = new Consumer({ groupId: 'platformatic', clientId: 'finding', bootstrapBrokers: [broker] })
const stream = await consumer.consume({ topics: ['stamped'], mode: 'earliest', autocommit: false })
for await (const message of stream) {
  console.log(`@platformatic/kafka ${message.timestamp}`)
  break
}
await consumer.close(true)
const client = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING }).consumer({ groupId: 'kafkajs' })
await client.connect()
await client.subscribe({ topic: 'stamped', fromBeginning: true })
await new Promise((resolve) => client.run({ eachMessage: async ({ message }) => {
  console.log(`kafkajs ${message.timestamp}`)
  resolve()
} }))
await client.disconnect()
process.exit(0)
JS
"$work/venv/bin/python" - "127.0.0.1:$port" <<'PYTHON'
import json
import subprocess
import sys
import time

import confluent_kafka
import kafka
from confluent_kafka.admin import AdminClient, NewTopic

broker = sys.argv[1]
server = {"bootstrap.servers": broker, "log_level": 2}
admin = AdminClient(server)
deadline = time.monotonic() + 60
topic = NewTopic("stamped", 1, 1, config={"message.timestamp.type": "LogAppendTime"})
while True:
    try:
        admin.create_topics([topic], operation_timeout=10)["stamped"].result(20)
        break
    except confluent_kafka.KafkaException as error:  # the broker is not up yet
        if time.monotonic() > deadline:
            raise error
        time.sleep(0.1)

CLOCK = 1_700_000_000_000  # November 2023
before = int(time.time() * 1000)
producer = confluent_kafka.Producer(server)
producer.produce("stamped", b"order", timestamp=CLOCK)
assert producer.flush(30) == 0

shown = {}
consumer = confluent_kafka.Consumer({**server, "group.id": "librdkafka", "auto.offset.reset": "earliest"})
consumer.subscribe(["stamped"])
shown["librdkafka"] = consumer.poll(30).timestamp()[1]
consumer.close()
consumer = kafka.KafkaConsumer("stamped", bootstrap_servers=broker, auto_offset_reset="earliest")
shown["kafka-python"] = next(consumer).timestamp
consumer.close()
lines = subprocess.run(["node", "read.js", broker], capture_output=True, text=True, check=True, timeout=60).stdout
shown.update((name, int(time)) for name, time in map(str.split, lines.splitlines()))

versions = {name: json.load(open(f"node_modules/{name}/package.json"))["version"] for name in ("@platformatic/kafka", "kafkajs")}
print(f"confluent-kafka {confluent_kafka.version()}, kafka-python {kafka.__version__},", ", ".join(f"{n} {v}" for n, v in versions.items()))
for name, time_shown in shown.items():
    print(f"{name}: {'the producer clock' if time_shown == CLOCK else 'the time of the broker' if time_shown >= before else time_shown}")
wrong = [name for name, time_shown in shown.items() if time_shown == CLOCK]
assert wrong == ["@platformatic/kafka"], wrong
assert all(time_shown >= before for name, time_shown in shown.items() if name not in wrong), shown
# The search by time goes by the broker's.
found = admin.list_offsets({confluent_kafka.TopicPartition("stamped", 0): confluent_kafka.admin.OffsetSpec.for_timestamp(before)})
[offset] = [future.result(30).offset for future in found.values()]
print("the first record since this program began, by the broker:", offset)
assert offset == 0, offset
PYTHON
