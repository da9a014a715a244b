#!/usr/bin/env bash
# Apache Avro's own Python library writes 1.1 as 0.11 where the schema says decimal with scale 2.
#
# One would guess: a Decimal is written at the scale of the schema, 1.1 as 1.10, as fastavro does, or refused. (Too many decimals are refused.)
# What happens: with fewer decimals than the scale, the digits are taken as they are: 1.1 becomes 0.11, 100 becomes 1.00, 1E+2 becomes 0.01. Amounts
# that always carry their zeros (1.10) are right, so tests with "299.99" pass; amounts that were calculated, or came out of normalize(), are not.
# -0.00 becomes -0.02. Nothing is reported, and the file is valid: every reader sees the wrong amount.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install avro==1.12.2 fastavro==1.13.1
"$work/venv/bin/python" - <<'PYTHON'
import io
import json
from decimal import Decimal
from importlib.metadata import version

import avro.io
import avro.schema
import fastavro

print("avro", version("avro"), "and fastavro", version("fastavro"))
AMOUNT = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
schema, fast_schema = avro.schema.parse(json.dumps(AMOUNT)), fastavro.parse_schema(AMOUNT)


def by_avro(amount):
    buffer = io.BytesIO()
    avro.io.DatumWriter(schema).write(amount, avro.io.BinaryEncoder(buffer))
    return buffer.getvalue()


def by_fastavro(amount):
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fast_schema, amount)
    return buffer.getvalue()


def read(data):
    """What both make of it, which is the same."""
    amount = fastavro.schemaless_reader(io.BytesIO(data), fast_schema)
    assert avro.io.DatumReader(schema, schema).read(avro.io.BinaryDecoder(io.BytesIO(data))) == amount
    return str(amount)


for amount, seen in {"299.99": "299.99", "1.10": "1.10", "1.1": "0.11", "100": "1.00", "1E+2": "0.01", "-0.00": "-0.02"}.items():
    written = read(by_avro(Decimal(amount)))
    print(f"{amount}: avro writes {written}, fastavro {read(by_fastavro(Decimal(amount)))}")
    assert written == seen
    assert Decimal(read(by_fastavro(Decimal(amount)))) == Decimal(amount)
PYTHON
