"""Checks folders of T-SQL: the first one's scripts are migrations and make the tables, the others' are statements with parameters @P1, @P2 …

With --self-test it checks itself instead.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from names import resolve
from rules import Rules
from schema import Schema
from selftest import judge
from tree import TOOLS, Finding, Node, parse

# Of each grammar what reads it; the oldest and the newest, and those between that added words.
GRAMMARS = ("2016", "2019", "2022", "2025")


def grammar(files: Iterable[Path]) -> list[Finding]:
    """What ScriptDom's grammars refuse: a word may be free in one version and a keyword in the next."""
    found = []
    for file in files:
        refused: dict[tuple[int, str], list[str]] = {}
        for version in GRAMMARS:
            run = subprocess.run([TOOLS / "venv/bin/maxdop", "--parser-version", version, file], capture_output=True, text=True, check=False)
            if run.returncode:
                at = re.search(r"(\d+):\d+: (.*?)\.? \(error", run.stderr)
                refused.setdefault((int(at[1]), at[2]) if at else (1, run.stderr.strip()), []).append(version)
        for (line, what), versions in refused.items():
            fix = "quote it if it is a name, or write what all of these have"
            found.append(Finding(str(file), line, "grammar", f"SQL Server {', '.join(versions)}: {what}", fix))
    return found


def check(migrations: Path, statements: Iterable[Path]) -> list[Finding]:
    first = sorted(migrations.glob("*.sql"))
    files = first + [file for folder in statements for file in sorted(folder.glob("*.sql"))]
    if not first or len(files) == len(first):
        return [Finding(str(migrations), 1, "grammar", "there is no script to check", "name the folders")]
    found = grammar(files)
    schema, trees = Schema(), dict[str, Node]()
    for file in files:
        tree, errors = parse(file.read_text())
        if errors and not any(finding.file == str(file) for finding in found):
            found += [Finding(str(file), line, "grammar", what, "write what the grammar has") for line, what in errors]
        if not errors:
            trees[str(file)] = tree
            schema.read(tree)
    for name, tree in trees.items():
        found += Rules(name, schema).check(tree)
    found += resolve(schema, trees)
    return sorted(set(found))


def main(arguments: list[str]) -> int:
    if arguments == ["--self-test"]:
        fixtures = Path(__file__).parent / "fixtures"
        folders = [fixtures / "migrations", fixtures / "statements"]
        said = judge(folders, check(folders[0], folders[1:]))
    else:
        said = [str(finding) for finding in check(Path(arguments[0]), [Path(folder) for folder in arguments[1:]])]
    for line in said:
        print(line)
    return int(bool(said))


if __name__ == "__main__":
    # The runtime's threads outlive a plain return by seconds.
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
