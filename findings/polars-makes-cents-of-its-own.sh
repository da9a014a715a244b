#!/usr/bin/env bash
# Polars, asked for Decimal, reads the JSON number 1234567890.12 as 1234567890.11999984, and an integer that is too large as null.
#
# One would guess: who gives json_decode a Decimal gets what is written there, as from a text that is cast to Decimal, as the type is there to keep amounts
# exact; or at worst the nearest a float has, which is right for 15 digits. What does not fit the type is an error, as in read_ndjson of the same package.
# What happens, in polars 2.1.0 (Decimal in json_decode is one of its newer features): the number is parsed to a float, and the float is multiplied by ten
# to the power of the scale within floats: at a scale of 8, 1234567890.12 (12 digits, far from a float's limit) gets an end of its own. At 4, as SQL Server's
# money has, it begins at 12345678901234.5678. A scale of 2 is right for a long time, so a test with 299.90 shows nothing.
# - An integer beyond the type is null, 7.9 in an Int64 is 7 and true is 1, a text that is no time is null. read_ndjson raises for each of them.
# - json_path_match, whose values are "always strings", does not give the text that is there either: 12345678901234.5678 comes as '12345678901234.568', 1.10 as
#   '1.1', and an identifier of 18446744073709551616 as '1.8446744073709552e+19', so a cast to Decimal comes too late.
# Whom it hurts: who takes events out of a column of JSON, which is what a dead letter table or a consumer's frame is, and sums them up beside the database.
# An amount that is a JSON text is exact. DuckDB's from_json, which is told the types just so, is exact with numbers too (its operators -> and ->> are not).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install polars==2.1.0 duckdb==2.0.1
"$work/venv/bin/python" - <<'PYTHON'
import io
from decimal import Decimal
from importlib.metadata import version

import duckdb
import polars as pl

print("polars", version("polars"), "and duckdb", version("duckdb"))


def decode(dtype, *values):
    """What json_decode makes of these values of a field."""
    rows = pl.Series([f'{{"v":{value}}}' for value in values])
    return [row["v"] for row in rows.str.json_decode(pl.Struct({"v": dtype}))]


for scale, text, wrong in [
    (2, "299.90", None),
    (8, "19.99", None),
    (8, "1234567890.12", "1234567890.11999984"),
    (8, "123456789012.34", "123456789012.33999872"),
    (4, "12345678901234.5678", "12345678901234.5680"),
    (18, "1.15", "1.149999999999999872"),
]:
    [number, quoted] = decode(pl.Decimal(38, scale), text, f'"{text}"')
    [cast] = pl.Series([text]).cast(pl.Decimal(38, scale))
    [(duck,)] = duckdb.sql(f"""SELECT from_json('{{"v":{text}}}', '{{"v":"DECIMAL(38,{scale})"}}').v""").fetchall()
    print(f"{text} as Decimal(38, {scale}): {number}")
    assert quoted == cast == duck == Decimal(text), (quoted, cast, duck)
    assert number == Decimal(wrong or text), number


def ndjson(dtype, value):
    """Whether read_ndjson takes such a value."""
    try:
        return pl.read_ndjson(io.BytesIO(f'{{"v":{value}}}'.encode()), schema={"v": dtype}).to_series().to_list()
    except pl.exceptions.PolarsError as error:
        return type(error).__name__


for dtype, value, becomes in [
    (pl.Int64, "18446744073709551615", None),
    (pl.Int32, "3000000000", None),
    (pl.Int64, "7.9", 7),
    (pl.Int64, "true", 1),
    (pl.Datetime("us"), '"yesterday"', None),
]:
    [found], elsewhere = decode(dtype, value), ndjson(dtype, value)
    print(f"{value} as {dtype}: {found!r} by json_decode, {elsewhere} by read_ndjson")
    assert found == becomes and elsewhere == "ComputeError", (found, elsewhere)

document = '{"amount":12345678901234.5678,"price":1.10,"id":18446744073709551616,"text":"12345678901234.5678"}'
for name, becomes in [
    ("amount", "12345678901234.568"),
    ("price", "1.1"),
    ("id", "1.8446744073709552e+19"),
    ("text", "12345678901234.5678"),
]:
    [found] = pl.Series([document]).str.json_path_match(f"$.{name}")
    print(f"$.{name} by json_path_match: {found!r}")
    assert found == becomes, found
PYTHON
