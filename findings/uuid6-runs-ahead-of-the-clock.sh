#!/usr/bin/env bash
# A second's work of the package uuid6 hands out identifiers from the next three minutes, and what others make in those minutes counts as older.
#
# One would guess: the time in a UUID of version 7 is when it was made, to a few milliseconds; for many in one millisecond there are the bits behind the
# time (a counter, or a finer clock: RFC 9562, 6.2), so identifiers of several programs sort by time, and "id > the last one seen" finds what is new.
# What happens: uuid7() of the package uuid6 keeps its own order by the milliseconds alone. Each call takes at least the last time plus one, so an identifier
# uses up a millisecond however fast it was made (_last_v7_timestamp + 1), and the rest is random. More than 1 000 a second, and the time runs
# away: 200 000 in a second end 199 seconds ahead, ten million (a backfill) hours ahead, and the process stays there until the clock has caught up. Its
# README says that the timer is "incremented" within a millisecond, and not that this adds up.
# A poller that remembers the highest identifier then skips what every other producer sends meanwhile; a filter by age, or a partition by day, is wrong by
# as much. uuid_utils, and uuid8() of the same package, stay within the clock.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install uuid6==2025.0.1 uuid_utils==1.2.0
cat >"$work/one.py" <<'PYTHON'
# Another producer: one identifier.
import uuid6

print(uuid6.uuid7())
PYTHON
"$work/venv/bin/python" - "$work/one.py" <<'PYTHON'
import subprocess
import sys
import time
from importlib.metadata import version
from uuid import UUID

import uuid6
import uuid_utils

MANY = 200_000
print("uuid6", version("uuid6"), "and uuid_utils", version("uuid_utils"))


def seconds_ahead(identifier):
    """How far the 48 bits of milliseconds are ahead of the clock."""
    return (int(identifier) >> 80) / 1000 - time.time()


def after_many(name, make):
    begun = time.monotonic()
    for _ in range(MANY):
        last = make()
    ahead = seconds_ahead(last)
    took = time.monotonic() - begun
    print(f"{name}: {MANY} identifiers in {took:.1f} s, the last one is {ahead:.1f} s ahead of the clock")
    return last, ahead, took


for name, make in {"uuid_utils.uuid7": uuid_utils.uuid7, "uuid6.uuid8": uuid6.uuid8}.items():
    assert abs(after_many(name, make)[1]) < 2
# As it is: one millisecond for each.
last, ahead, took = after_many("uuid6.uuid7", uuid6.uuid7)
assert ahead > MANY / 1000 - took - 2 and ahead > 60, ahead
# A second later one of this process goes on from there, and one of another process is "older".
time.sleep(1)
later, other = uuid6.uuid7(), UUID(subprocess.run([sys.executable, sys.argv[1]], capture_output=True, text=True, check=True).stdout.strip())
print(f"a second later: here {later}, {seconds_ahead(later):.1f} s ahead; in another process {other}")
print(f"that one is new for a poller that has seen {last}: {other > last}")
assert later > last and (int(later) >> 80) == (int(last) >> 80) + 1
assert abs(seconds_ahead(other)) < 5 and other < last
PYTHON
