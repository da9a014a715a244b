#!/usr/bin/env bash
# sqlfluff fix swaps columns of T-SQL that are bound by their position: in a derived table with a list of names, and in a cursor.
#
# One would guess: a fixer changes how a statement looks, and where the order of a SELECT's columns has a meaning it leaves that order alone. Its rule
# ST06 (plain columns before calculated ones, on by default) knows such places: INSERT, MERGE, UNION, views and named common table expressions.
# What happens, in sqlfluff 4.5.0 with the dialect tsql: (SELECT UPPER(topic), reason ...) AS d (topic, reason) becomes (SELECT reason, UPPER(topic) ...)
# AS d (topic, reason), so topics are read as reasons. As what an UPDATE joins it makes that write the one into the other, or nothing. A cursor's SELECT
# is turned round too, and FETCH ... INTO @topic, @reason fills each variable with the other's value. Text fits text: nothing fails, and lint is happy
# with the result.
# The reason: the rule asks whether the alias has a bracket as its child. In ANSI and PostgreSQL it has; the dialect for T-SQL puts one more node,
# alias_column_list, between the two. Cursors are not among the statements that it spares in any dialect.
# exclude_rules = ST06 mends it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install sqlfluff==4.5.0 duckdb==2.0.1
"$work/venv/bin/python" - 2>"$work/log" <<'PYTHON' || { cat "$work/log"; exit 1; }
from importlib.metadata import version

import duckdb
import sqlfluff

print("sqlfluff", version("sqlfluff"), "and DuckDB", version("duckdb"))


def fixed(statement, dialect="tsql", **options):
    after = sqlfluff.fix(statement + "\n", dialect=dialect, **options)
    assert not [found for found in sqlfluff.lint(after, dialect=dialect) if found["code"] == "ST06"]
    return " ".join(after.split())


def order(statement):
    return statement.index("r.reason") > statement.index("UPPER(r.topic)")


def run(statement, query=None):
    """What a database answers to it that reads this part of the language in the same way."""
    with duckdb.connect() as database:
        database.execute("CREATE TABLE records (topic VARCHAR, reason VARCHAR)")
        database.execute("INSERT INTO records VALUES ('orders', 'late')")
        database.execute("CREATE TABLE letters (topic VARCHAR, reason VARCHAR)")
        database.execute("INSERT INTO letters VALUES ('ORDERS', 'unknown')")
        answer = database.execute(statement).fetchall()
        return database.execute(query).fetchall() if query else answer


# As it is: here the order is kept.
kept = "INSERT INTO letters (topic, reason) SELECT UPPER(r.topic), r.reason FROM records AS r;"
assert order(fixed(kept))

named = "(SELECT UPPER(r.topic), r.reason FROM records AS r)"
for statement, query in [
    (f"SELECT d.topic, d.reason FROM {named} AS d (topic, reason);", None),
    (f"UPDATE letters SET reason = d.reason FROM {named} AS d (topic, reason) WHERE letters.topic = d.topic;", "FROM letters"),
]:
    after = fixed(statement)
    print(f"  {statement}\n    {run(statement, query)}\n→ {after}\n    {run(after, query)}")
    assert not order(after)
    assert run(statement, query) == [("ORDERS", "late")]
    assert run(after, query) == [("ORDERS", "unknown") if query else ("late", "ORDERS")]
    for dialect in ["ansi", "postgres"]:
        assert order(fixed(statement, dialect))
    assert order(" ".join(sqlfluff.fix(statement + "\n", dialect="tsql", exclude_rules=["ST06"]).split()))

cursor = "DECLARE letters CURSOR FOR SELECT UPPER(r.topic), r.reason FROM dbo.records AS r;"
fetch = "FETCH NEXT FROM letters INTO @topic, @reason;"
after = fixed(f"{cursor}\n{fetch}")
print(f"  {cursor} {fetch}\n→ {after}")
assert not order(after) and after.endswith(fetch)
PYTHON
