#!/usr/bin/env bash
# @platformatic/kafka hands over records of aborted transactions to a consumer of committed ones.
#
# One would guess: isolationLevel READ_COMMITTED keeps aborted records away, as it does in every other client that has it; a consumer that saw it
# work in a test (one aborted transaction, a few records) can rely on it.
# What happens, on Apache Kafka 4.3.1: the broker names each aborted transaction of what it hands out by its producer and its first offset. This client
# keeps one per producer, so of several that one producer aborted within a fetch only the last is left out. And it looks for the end
# of a transaction within the same fetch: of an aborted one that is longer than a fetch, all but the records of the last fetch are handed
# over. kafkajs, on the same topics, shows none.
# A service that retries its transaction until it holds is such a producer: each attempt is applied, once more than it was meant.
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


cd "$work"
echo '{"private": true, "type": "module"}' >package.json
npm install --silent --no-audit --no-fund @platformatic/kafka@2.12.1 kafkajs@2.2.4 node@24.21.0 # the client needs a Node.js that is newer than many have
export PATH="$work/node_modules/.bin:$PATH"
cat >read.js <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { Consumer, FetchIsolationLevels } from '@platformatic/kafka'
import kafkajs from 'kafkajs'

const [broker] = process.argv.slice(2)
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version
console.log(`@platformatic/kafka ${version('@platformatic/kafka')}, kafkajs ${version('kafkajs')}`)
const client = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING })
const admin = client.admin()
const deadline = Date.now() + 60_000
for (;;) {
  try {
    await admin.connect()
    await admin.createTopics({ topics: ['twice', 'long'].map((topic) => ({ topic, numPartitions: 1 })), waitForLeaders: true })
    break
  } catch (error) { // the broker is not up yet
    if (Date.now() > deadline) throw error
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

// One producer; the end is what becomes of each transaction.
async function write(topic, attempts, padding) {
  const producer = client.producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  for (const [values, commit] of attempts) {
    const transaction = await producer.transaction()
    for (const value of values) await transaction.send({ topic, messages: [{ value: value + padding }] })
    await (commit ? transaction.commit() : transaction.abort())
  }
  await producer.disconnect()
}
const long = Array.from({ length: 10 }, (_, i) => `aborted ${i}`)
await write('twice', [[['aborted 1'], false], [['aborted 2'], false], [['committed'], true]], '')
await write('long', [[long, false], [['committed'], true]], ' '.repeat(100_000))

// Everything up to the last record, which is the committed one in either topic.
async function byKafkajs(topic) {
  const consumer = client.consumer({ groupId: `kafkajs-${topic}`, maxBytesPerPartition: 300_000 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const seen = []
  await new Promise((resolve) => consumer.run({ eachMessage: async ({ message }) => {
    seen.push(message.value.toString().trim())
    if (seen.at(-1) === 'committed') resolve()
  } }))
  await consumer.disconnect()
  return seen
}
async function byPlatformatic(topic) {
  const isolationLevel = FetchIsolationLevels.READ_COMMITTED
  const consumer = new Consumer({ groupId: `platformatic-${topic}`, clientId: 'finding', bootstrapBrokers: [broker], isolationLevel, maxBytes: 300_000 })
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false })
  const seen = []
  for await (const message of stream) {
    seen.push(message.value.toString().trim())
    if (seen.at(-1) === 'committed') break
  }
  await consumer.close(true)
  return seen
}
for (const [topic, least] of [['twice', ['aborted 1', 'committed']], ['long', [...long.slice(0, 4), 'committed']]]) {
  const [right, seen] = [await byKafkajs(topic), await byPlatformatic(topic)]
  console.log(`${topic}: kafkajs hands over ${right.join(', ')}; @platformatic/kafka ${seen.join(', ')}`)
  assert.deepStrictEqual(right, ['committed'])
  assert(!seen.includes('aborted 2') || topic === 'long')
  // How many records of the long one come with its end is the broker's choice.
  assert.deepStrictEqual(seen.filter((value) => least.includes(value)), least)
}
process.exit(0)
JS
node read.js "127.0.0.1:$port"
