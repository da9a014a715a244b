#!/usr/bin/env bash
# SQLite: an index that is added for another query takes over one that it serves worse: a look that cost 16 steps costs 500 000.
#
# One would guess: a query that finds its rows by the first column of an index goes on to do so when another index is added, above all where the new one
# begins with a flag that is the same in every row; or else that the planner, which cannot tell the two apart, stays with the one that is there.
# What happens: without ANALYZE an equality on the first column of an index that is not unique counts as ten rows, whatever the column is. Of equals the
# narrower index is taken, and where both are about as wide, the one that was made LAST. So `kind = 3 AND done = 0` goes through every row that is not done,
# until ANALYZE was run or the query says INDEXED BY. A database whose indexes were made in the other order, as by a new schema beside a file that
# was upgraded, answers at once: the same tables, the same statement, the same rows.
# ANALYZE mends it only once there are rows: run on an empty table, as a schema script does, it changes nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install apsw==3.54.1.0
"$work/venv/bin/python" - <<'PYTHON'
import apsw

print("SQLite", apsw.sqlite_lib_version())
BY_KIND = "CREATE INDEX ix_kind ON queue (kind, at)"
BY_KIND_AND_MORE = "CREATE INDEX ix_kind ON queue (kind, waits_for, at)"
BY_AGE = "CREATE INDEX ix_age ON queue (done, at)"
LOOK = "SELECT EXISTS (SELECT 1 FROM queue WHERE kind = 3 AND done = 0)"
ROWS = 100_000


def table(*indexes, analyze=False):
    file = apsw.Connection(":memory:")
    file.execute("CREATE TABLE queue (kind INTEGER NOT NULL, waits_for BLOB, at INTEGER NOT NULL, done INTEGER NOT NULL)")
    for index in indexes:
        file.execute(index)
    if analyze:
        file.execute("ANALYZE")
    file.execute("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                 "INSERT INTO queue SELECT 1 + i % 2, randomblob(16), i, 0 FROM n", (ROWS,))
    return file


def look(file):
    """The index that is used, and the steps of the virtual machine."""
    plan = " ".join(row[3] for row in file.execute("EXPLAIN QUERY PLAN " + LOOK))
    steps = 0

    def step():
        nonlocal steps
        steps += 1
        return False

    file.set_progress_handler(step, 1)
    assert file.execute(LOOK).get == 0
    file.set_progress_handler(None)
    return ("ix_kind" if "ix_kind" in plan else "ix_age"), steps


seen = {
    "by kind alone": look(table(BY_KIND)),
    "by kind, then by age": look(table(BY_KIND, BY_AGE)),
    "by age, then by kind": look(table(BY_AGE, BY_KIND)),
    "by age, then by kind with another column": look(table(BY_AGE, BY_KIND_AND_MORE)),
    "by kind, then by age, ANALYZE while empty": look(table(BY_KIND, BY_AGE, analyze=True)),
}
analyzed = table(BY_KIND, BY_AGE)
analyzed.execute("ANALYZE")
seen["by kind, then by age, ANALYZE with the rows"] = look(analyzed)
for name, (index, steps) in seen.items():
    print(f"{name}: {index}, {steps} steps")
assert [index for index, _ in seen.values()] == ["ix_kind", "ix_age", "ix_kind", "ix_age", "ix_age", "ix_kind"]
assert all(steps < 50 if index == "ix_kind" else steps > 3 * ROWS for index, steps in seen.values())
PYTHON
