#!/usr/bin/env bash
# @platformatic/kafka puts half of all keys on other partitions than the Java client does, unless the number of partitions is a power of two.
#
# One would guess: its default partitioner hashes the key with murmur2, as Java's producer, librdkafka's murmur2_random and KafkaJS do, so records
# with one key share a partition whichever of them sent it. A test with 1, 2, 4 or 8 partitions shows just that.
# What happens: the hash is the same, but Java clears its sign before it divides, and this client takes it for a number without a sign.
# Where the sign is set (every second key) the two differ by 2^31, which is 0 modulo a power of two, and 2 modulo 6. So a service that is moved
# to this client, or that writes beside one in Java, splits the order of half the keys on a topic of 6, 10 or 12 partitions.
# compatibilityPartitioner, which the package exports and which is not the default, is right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private": true, "type": "module"}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts @platformatic/kafka@1.35.0 kafkajs@2.2.4
cat >compare.js <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { compatibilityPartitioner, defaultPartitioner } from '@platformatic/kafka'
import { Partitioners } from 'kafkajs'

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version
console.log(`@platformatic/kafka ${version('@platformatic/kafka')}, kafkajs ${version('kafkajs')} with Java's partitioner`)
const java = Partitioners.DefaultPartitioner()
const keys = Array.from({ length: 1000 }, (_, i) => Buffer.from(`order-${i}`))
for (const partitions of [1, 2, 4, 6, 8, 10, 12]) {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({ partitionId, leader: 0 }))
  const expected = (key) => java({ topic: 't', partitionMetadata, message: { key } })
  // The producer divides what the partitioner returns by the number of partitions.
  const differ = (partitioner) => keys.filter((key) => partitioner({}, key) % partitions !== expected(key)).length
  const [byDefault, compatible] = [differ(defaultPartitioner), differ(compatibilityPartitioner)]
  console.log(`${partitions} partitions: ${byDefault} of ${keys.length} keys elsewhere by default, ${compatible} with compatibilityPartitioner`)
  assert.strictEqual(compatible, 0)
  assert.strictEqual(byDefault, Math.log2(partitions) % 1 === 0 ? 0 : 499)
}
JS
node compare.js
