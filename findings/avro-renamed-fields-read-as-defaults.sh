#!/usr/bin/env bash
# Apache Avro's own Python library calls a renamed field compatible, and then reads its default instead of what was written.
#
# One would guess: a field that gets a new name keeps the old one as its alias, and records of the old schema are read under the new name. Aliases are
# optional for an implementation of Avro; one that cannot take them would say so in its check of two schemas, which is there to be asked before a release.
# What happens: the check, ReaderWriterCompatibilityChecker, looks the field up by its aliases (lookup_writer_field) and answers "compatible". The
# reader, DatumReader.read_record, goes by names alone: it skips the old field and fills the new one in from its default. Every amount is 0, or null,
# as if it had never been sent; nothing is raised. Without a default the same check says "compatible" too, and the reader raises; with an alias
# of the record it is the same. fastavro, given the same bytes and schemas, reads what was written.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install avro==1.12.2 fastavro==1.13.1
"$work/venv/bin/python" - <<'PYTHON'
import io
import json
from importlib.metadata import version

import avro.io
import avro.schema
import fastavro
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.errors import SchemaResolutionException

print("avro", version("avro"), "and fastavro", version("fastavro"))


def order(*fields, **more):
    return {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}, *fields], **more}


WRITTEN = order({"name": "amount", "type": "long"})
RENAMED = {"name": "total", "aliases": ["amount"]}
buffer = io.BytesIO()
fastavro.schemaless_writer(buffer, WRITTEN, {"id": "7", "amount": 299})
writer = avro.schema.parse(json.dumps(WRITTEN))


def shown(what, schema):
    """What the check says, what avro reads, and what fastavro does."""
    reader = avro.schema.parse(json.dumps(schema))
    said = ReaderWriterCompatibilityChecker().get_compatibility(reader, writer).compatibility
    try:
        read = avro.io.DatumReader(writer, reader).read(avro.io.BinaryDecoder(io.BytesIO(buffer.getvalue())))
    except SchemaResolutionException as error:
        read = str(error).splitlines()[0]
    fast = fastavro.schemaless_reader(io.BytesIO(buffer.getvalue()), WRITTEN, schema)
    print(f"{what}: the check says {said.name}, avro reads {read}, fastavro {fast}")
    assert said == SchemaCompatibilityType.compatible
    return read, fast


by_name, by_fastavro = shown("same name", WRITTEN)
assert by_name == by_fastavro == {"id": "7", "amount": 299}
# As it is: what was written is gone.
read, fast = shown("renamed, default 0", order({**RENAMED, "type": "long", "default": 0}))
assert (read, fast) == ({"id": "7", "total": 0}, {"id": "7", "total": 299})
read, fast = shown("renamed, default null", order({**RENAMED, "type": ["null", "long"], "default": None}))
assert (read, fast) == ({"id": "7", "total": None}, {"id": "7", "total": 299})
# Here the reader says so, and the check does not.
read, fast = shown("renamed, no default", order({**RENAMED, "type": "long"}))
assert (read, fast) == ("No default value for field total", {"id": "7", "total": 299})
read, fast = shown("record renamed", {**WRITTEN, "name": "Purchase", "aliases": ["Order"]})
assert (read, fast) == ("Schemas do not match.", {"id": "7", "amount": 299})
PYTHON
