#!/usr/bin/env bash
# JSON Schema and amounts of money in Python: numbers that are read exactly break "multipleOf", in a different way in each validator.
#
# One would guess: json.loads(text, parse_float=Decimal) is the way to read amounts without a float, and validators take Decimal for a number
# ("type": "number" and "maximum" do). So {"multipleOf": 0.01} accepts 299.99, and whatever is wrong is a validation error.
# What happens with 299.99, which is valid:
#   amount exact, schema read as usual    jsonschema raises TypeError; fastjsonschema raises decimal.InvalidOperation; jsonschema-rs accepts
#   amount exact, schema exact as well    jsonschema accepts; fastjsonschema raises TypeError; jsonschema-rs accepts
#   both as floats                        jsonschema accepts 299.99 and refuses 0.3 as a multiple of 0.0001; the other two accept both
# And 5.0, which is an integer as a float, is none as a Decimal, except for jsonschema-rs. Neither exception is one that handlers of invalid
# documents catch, and a change of the validator moves the failure elsewhere.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install jsonschema==4.26.0 fastjsonschema==2.22.3 jsonschema_rs==0.61.2
"$work/venv/bin/python" - <<'PYTHON'
import json
from decimal import Decimal
from importlib.metadata import version

import fastjsonschema
import jsonschema
import jsonschema_rs

DRAFT = "http://json-schema.org/draft-07/schema#"
validators = {
    "jsonschema": jsonschema.Draft7Validator,
    "fastjsonschema": fastjsonschema.compile,
    "jsonschema_rs": jsonschema_rs.Draft7Validator,
}


def verdict(name, schema, number):
    try:
        validator = validators[name](schema)
        (validator if name == "fastjsonschema" else validator.validate)(number)
        return "valid"
    except (jsonschema.ValidationError, fastjsonschema.JsonSchemaValueException, jsonschema_rs.ValidationError):
        return "invalid"
    except Exception as error:
        return type(error).__name__


def read(text, exact):
    return json.loads(text, parse_float=Decimal if exact else float)


print({name: version(name) for name in validators})
cents, parts, whole = (f'{{"$schema": "{DRAFT}", {rule}}}' for rule in ('"multipleOf": 0.01', '"multipleOf": 0.0001', '"type": "integer"'))
for what, schema, exact_schema, number, exact_number, expected in [
    ("amount exact", cents, False, "299.99", True, ["TypeError", "InvalidOperation", "valid"]),
    ("both exact", cents, True, "299.99", True, ["valid", "TypeError", "valid"]),
    ("both floats", cents, False, "299.99", False, ["valid", "valid", "valid"]),
    ("both floats", parts, False, "0.3", False, ["invalid", "valid", "valid"]),
    ("float 5.0", whole, False, "5.0", False, ["valid", "valid", "valid"]),
    ("exact 5.0", whole, False, "5.0", True, ["invalid", "invalid", "valid"]),
]:
    seen = [verdict(name, read(schema, exact_schema), read(number, exact_number)) for name in validators]
    print(f"{what}: {number}: {seen}")
    assert seen == expected
PYTHON
