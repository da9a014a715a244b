#!/usr/bin/env bash
# A structured CloudEvent that carries its attributes as headers too is another event for the CloudEvents SDK for Python.
#
# One would guess: whether a record is in structured mode is told by its content-type, application/cloudevents…; the headers of binary mode may stand
# beside it, so that brokers and tools route by them without a look at the value. The binding for Kafka says both (1.3 and 3.3.3).
# What happens: from_kafka, which "automatically detects" the mode, does not look at content-type. Any header that begins with ce_ makes
# it binary mode: the whole envelope is the data of an event with the right id and type, and nothing is raised. A handler that reads
# data["orderId"] fails, or takes it for absent. The SDK for JavaScript reads the same record right, and so does from_structured of this one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install cloudevents==2.2.0
echo '{"private": true, "type": "module"}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts cloudevents@10.0.0
cat >read.js <<'JS'
import { readFileSync } from 'node:fs'
import { Kafka } from 'cloudevents'

const { headers, value } = JSON.parse(readFileSync('record.json'))
const { id, type, data } = Kafka.toEvent({ headers, value, body: value })
console.log(JSON.stringify({ id, type, data }))
JS
venv/bin/python - <<'PYTHON'
import json
import subprocess
from importlib.metadata import version

from cloudevents.core.bindings import kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

DATA = {"orderId": 7}
attributes = {"id": "1", "type": "order.placed", "source": "/shop", "datacontenttype": "application/json"}
event = CloudEvent(attributes=attributes, data=DATA)
structured, binary = kafka.to_structured_event(event), kafka.to_binary_event(event)
# The headers of binary mode, and the content type of structured mode.
headers = {**binary.headers, **structured.headers}
record = kafka.KafkaMessage(headers=headers, key=None, value=structured.value)
with open("record.json", "w") as file:
    json.dump({"headers": {name: value.decode() for name, value in headers.items()}, "value": record.value.decode()}, file)

print("cloudevents for Python", version("cloudevents"), "and for JavaScript", json.load(open("node_modules/cloudevents/package.json"))["version"])
print("headers:", ", ".join(f"{name}={value.decode()}" for name, value in sorted(headers.items()) if name != "ce_time"))
found = kafka.from_kafka(record, JSONFormat())
print("Python, from_kafka:", found.get_attributes()["type"], sorted(found.get_data()))
assert found.get_attributes()["id"] == "1" and found.get_data() != DATA
assert found.get_data()["data"] == DATA and found.get_data()["specversion"] == "1.0", found.get_data()
by_mode = kafka.from_structured_event(record)
print("Python, from_structured_event:", by_mode.get_attributes()["type"], by_mode.get_data())
assert by_mode.get_data() == DATA
theirs = json.loads(subprocess.run(["node", "read.js"], capture_output=True, text=True, check=True, timeout=60).stdout)
print("JavaScript, Kafka.toEvent:", theirs["type"], theirs["data"])
assert theirs == {"id": "1", "type": "order.placed", "data": DATA}, theirs
PYTHON
