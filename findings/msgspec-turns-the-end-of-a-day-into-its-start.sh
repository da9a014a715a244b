#!/usr/bin/env bash
# The last moment of a day, as SQL Server writes it, is for msgspec the first one: 23:59:59.9999999 is read as 00:00:00.
#
# One would guess: of the seven digits of datetime2(7) and time(7) a reader that keeps microseconds drops the seventh, as pydantic and Python's own
# fromisoformat (3.11) do; 23:59:59.9999999 is 23:59:59.999999, and stays behind every other time of its day.
# What happens: msgspec rounds by the seventh digit and carries. A `time` has nowhere to carry to, so time_round_up_micros goes on at 00:00:00: a shop that
# is open from 00:00:00 to 23:59:59.9999999 closes as it opens, and the next program is sent "00:00:00". A `datetime` goes to the next day, or year.
# And the end that SQL Server gives to every current row of a temporal table, 9999-12-31T23:59:59.9999999, has no next day: the message is
# refused as "Invalid RFC3339 encoded datetime". Its documentation names RFC 3339, which sets no limit to the digits, and says nothing of rounding.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install msgspec==0.23.0 pydantic==2.14.4
"$work/venv/bin/python" - <<'PYTHON'
import datetime
from importlib.metadata import version

import msgspec
import pydantic

print("msgspec", version("msgspec"), "and pydantic", version("pydantic"))


def read(type_, text):
    """What msgspec makes of a text of JSON, and what pydantic does."""
    document = f'"{text}"'
    try:
        by_msgspec = msgspec.json.decode(document, type=type_).isoformat()
    except msgspec.ValidationError as error:
        by_msgspec = str(error)
    by_pydantic = pydantic.TypeAdapter(type_).validate_json(document).isoformat()
    print(f"{type_.__name__} {text}: msgspec {by_msgspec}, pydantic {by_pydantic}")
    return by_msgspec, by_pydantic


time, moment = datetime.time, datetime.datetime
assert read(time, "23:59:59.999999") == ("23:59:59.999999", "23:59:59.999999")
assert read(time, "23:59:59.9999994") == ("23:59:59.999999", "23:59:59.999999")
# As it is: the last tick of time(7) and of a day, a year, and all time.
assert read(time, "23:59:59.9999999") == ("00:00:00", "23:59:59.999999")
assert read(moment, "2026-12-01T23:59:59.9999999") == ("2026-12-02T00:00:00", "2026-12-01T23:59:59.999999")
assert read(moment, "2026-12-31T23:59:59.9999999Z") == ("2027-01-01T00:00:00+00:00", "2026-12-31T23:59:59.999999+00:00")
assert read(moment, "9999-12-31T23:59:59.9999999") == ("Invalid RFC3339 encoded datetime", "9999-12-31T23:59:59.999999")


class Hours(msgspec.Struct):
    opens: datetime.time
    closes: datetime.time


before = b'{"opens":"00:00:00","closes":"23:59:59.9999999"}'
after = msgspec.json.encode(msgspec.json.decode(before, type=Hours))
print(f"{before.decode()} is passed on as {after.decode()}")
assert after == b'{"opens":"00:00:00","closes":"00:00:00"}'
PYTHON
