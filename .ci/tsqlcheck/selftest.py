"""Whether the checks find what they are for: every line of the fixtures that is broken says who finds what, and no other line is complained of."""

from __future__ import annotations

import re
from pathlib import Path

from tree import Finding

_BROKEN = re.compile(r"-- (grammar|names|rules): (.*)$")


def judge(folders: list[Path], found: list[Finding]) -> list[str]:
    """What the checks missed, and what they complained of without reason."""
    files = [file for folder in folders for file in folder.glob("*.sql")]
    marks = [
        (str(file), number, mark[1], mark[2])
        for file in files
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if (mark := _BROKEN.search(line))
    ]
    wrong = [] if marks else ["the fixtures have no broken line"]
    left = list(found)
    for file, number, checker, words in marks:
        hits = [f for f in found if (f.file, f.line, f.checker) == (file, number, checker) and words in f"{f.what}; {f.fix}"]
        wrong += [] if hits else [f"{file}:{number}: not found by {checker}: {words}"]
        left = [f for f in left if f not in hits]
    return wrong + [f"complained of without reason, or in another place: {finding} ({finding.checker})" for finding in left]
