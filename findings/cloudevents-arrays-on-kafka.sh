#!/usr/bin/env bash
# The CloudEvents SDK for Python writes an event whose data is a JSON array as Python's own notation, under the content type application/json.
#
# One would guess: to_binary (and to_binary_event) of the Kafka binding turns data into JSON when datacontenttype says so, whatever JSON value it
# is. What cannot be written is an error.
# What happens: only an object becomes JSON. An array or a boolean is written as Python prints it: single quotes, True, None. A text goes
# out bare, without its quotes. Nothing is reported, and the SDK itself reads an array back as a text; consumers in other languages find no JSON.
# The same event in structured mode is right, so a test in that mode shows nothing. And data that is None, the sign for "deleted" on a
# compacted topic, becomes an empty value, which is no tombstone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install cloudevents==2.2.0
"$work/venv/bin/python" - <<'PYTHON'
import json
from importlib.metadata import version

from cloudevents.core.bindings import kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

print("cloudevents", version("cloudevents"))
attributes = {"type": "OrderPlaced", "source": "/shop", "id": "1", "specversion": "1.0", "datacontenttype": "application/json"}
for data, value, back in [
    ({"gift": True, "note": None}, b'{"gift": true, "note": null}', {"gift": True, "note": None}),
    ([{"gift": True, "note": None}], b"[{'gift': True, 'note': None}]", "[{'gift': True, 'note': None}]"),
    (True, b"True", "True"),
    ("a text", b"a text", "a text"),
    (None, b"", None),
]:
    event = CloudEvent(attributes=dict(attributes), data=data)
    binary = kafka.to_binary(event, JSONFormat())
    read = kafka.from_binary(binary, JSONFormat()).get_data()
    structured = kafka.from_structured(kafka.to_structured(event, JSONFormat()), JSONFormat()).get_data()
    print(f"{data!r}: {binary.headers['content-type'].decode()}: {binary.value!r}, read back as {read!r}; structured: {structured!r}")
    assert binary.value == value and read == back and structured == data
try:
    json.loads(b"[{'gift': True, 'note': None}]")
    raise AssertionError("that is no JSON")
except json.JSONDecodeError:
    pass
PYTHON
