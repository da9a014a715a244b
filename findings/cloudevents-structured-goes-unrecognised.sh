#!/usr/bin/env bash
# A structured CloudEvent that one official SDK writes for Kafka is none for another official SDK.
#
# One would guess: a message in structured mode says so in its content-type header, `application/cloudevents+json`, since that is how a reader tells
# it from binary mode (Kafka protocol binding 1.0.2, 3 and 3.3.1), and `datacontenttype` stays in the envelope, whose attribute it is.
# What happens: `to_structured` of the Python SDK's v1 package, which code written before its release 2 uses, takes `datacontenttype` out of the
# envelope and writes it into the content-type header; an event without that attribute gets no header at all. The same message is a CloudEvent for
# the SDK that wrote it, which does not look at the header. The SDK for Node.js finds none and throws. The package's newer `core` writes both right.
# So a reader that has to take what is sent goes by `specversion` in the object, not by the header.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install cloudevents==2.2.0
echo '{"private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts cloudevents@10.0.0
venv/bin/python - >messages.json <<'PYTHON'
import json
from datetime import datetime, timezone

from cloudevents.core.bindings import kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1.http import CloudEvent as CloudEventV1
from cloudevents.v1.kafka import from_structured, to_structured

attributes = {"id": "1", "source": "/shop", "type": "OrderPlaced", "specversion": "1.0"}
data = {"orderId": "7"}
messages = []
for content_type in ({}, {"datacontenttype": "application/json"}):
    message = to_structured(CloudEventV1(attributes | content_type, data))
    assert from_structured(message).data == data
    messages.append(("v1", message))
    event = CloudEvent(attributes | content_type | {"time": datetime.now(timezone.utc)}, data)
    messages.append(("core", kafka.to_structured(event, JSONFormat())))
print(json.dumps([{"by": by, "headers": {k: v.decode() for k, v in m.headers.items()}, "value": m.value.decode()} for by, m in messages]))
PYTHON
node - <<'NODE'
const assert = require("node:assert");
const { readFileSync } = require("node:fs");
const { Kafka } = require("cloudevents");
console.log("cloudevents of PyPI 2.2.0, of npm", JSON.parse(readFileSync("node_modules/cloudevents/package.json")).version);
const seen = JSON.parse(readFileSync("messages.json")).map(({ by, headers, value }) => {
    const message = { headers, value, body: value, key: null };
    let read;
    try {
        read = JSON.stringify(Kafka.toEvent(message).data);
    } catch (error) {
        read = String(error);
    }
    const attribute = JSON.parse(value).datacontenttype;
    console.log(`${by}: content-type ${headers["content-type"]}, datacontenttype ${attribute}: ${read}`);
    return [by, headers["content-type"], attribute, read];
});
assert.deepEqual(seen, [
    ["v1", undefined, undefined, "TypeError: No CloudEvent detected"],
    ["core", "application/cloudevents+json", undefined, '{"orderId":"7"}'],
    ["v1", "application/json", undefined, "TypeError: No CloudEvent detected"],
    ["core", "application/cloudevents+json", "application/json", '{"orderId":"7"}'],
]);
NODE
