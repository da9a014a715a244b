#!/usr/bin/env bash
# sqlglot reads T-SQL and writes T-SQL that does something else.
#
# One would guess: reading a statement in the dialect "tsql" and writing it in the same dialect (to format it, to qualify its names, to add a
# filter) keeps what it does, and what the parser does not know is an error, a warning, or passed on as it is.
# What happens, without a warning, even with unsupported_level=RAISE:
#   REAL              becomes FLOAT, which is twice as wide: a column or a cast changes its values.
#   SQUARE(n)         becomes POWER(n, 2). SQUARE of an int is a float; POWER of an int is an int, and overflows from 46341 on.
#   DELETE TOP (n)    becomes a delete from a table called TOP, with an alias; no server takes it.
#   IF … one; two;    loses its end: a BEGIN comes before the first statement, which is all that the IF is about, and END never comes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install sqlglot==30.30.0
"$work/venv/bin/python" - <<'PYTHON'
import logging

import sqlglot

warnings = []
handler = logging.Handler()
handler.emit = lambda record: warnings.append(record.getMessage())
logging.getLogger("sqlglot").addHandler(handler)

print("sqlglot", sqlglot.__version__)
expected = {
    "CREATE TABLE readings (level REAL)": "CREATE TABLE readings (level FLOAT)",
    "SELECT SQUARE(quantity) FROM items": "SELECT POWER(quantity, 2) FROM items",
    "DELETE TOP (100) FROM letters WHERE age > 30": "DELETE TOP AS _t0([100]) FROM letters WHERE age > 30",
    "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION; SELECT 1;": "IF @@TRANCOUNT > 0 BEGIN ROLLBACK TRANSACTION; SELECT 1",
}
for before, after in expected.items():
    written = "; ".join(sqlglot.transpile(before, read="tsql", write="tsql", unsupported_level=sqlglot.ErrorLevel.RAISE))
    print(f"  {before}\n→ {written}")
    assert written == after, after
assert not warnings, warnings
PYTHON
