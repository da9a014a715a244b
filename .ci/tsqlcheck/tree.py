"""T-SQL as a tree: ScriptDom's parser, reached through .NET, and a walk over what it gives."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import clr_loader
import dotnetcore2
import pythonnet

TOOLS = Path(os.environ["TSQL_TOOLS"])
Node = Any  # a fragment of ScriptDom's tree


@dataclass(frozen=True, order=True)
class Finding:
    """What is wrong, where, and what mends it."""

    file: str
    line: int
    checker: str  # grammar, names or rules
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}; {self.fix}"


def _start() -> None:
    runtime = Path(dotnetcore2.__file__).parent / "bin"
    pythonnet.load(clr_loader.get_coreclr(runtime_config=str(TOOLS / "runtime.json"), dotnet_root=str(runtime)))
    import clr

    sys.path.append(str(TOOLS / "wheels/mssqlcli/mssqltoolsservice/bin"))
    for name in ("TransactSql.ScriptDom", "Dac", "Dac.Extensions"):
        clr.AddReference(f"Microsoft.SqlServer.{name}")


_start()
import clr  # noqa: E402
from Microsoft.SqlServer.TransactSql import ScriptDom  # noqa: E402
from System.IO import StringReader  # noqa: E402


def parse(text: str) -> tuple[Node, list[tuple[int, str]]]:
    """The tree of a script, and the parser's complaints with their lines."""
    tree, errors = ScriptDom.TSql150Parser(True).Parse(StringReader(text))
    return tree, [(error.Line, error.Message) for error in errors]


def kind(node: Node) -> str:
    return type(node).__name__


@cache
def _parts(of: type) -> tuple[str, ...]:
    """The properties of a kind of fragment that hold fragments."""
    return tuple(
        prop.Name
        for prop in clr.GetClrType(of).GetProperties()
        if "ScriptDom." in str(prop.PropertyType)
        and prop.Name != "ScriptTokenStream"
        and not prop.PropertyType.IsEnum
        and prop.GetIndexParameters().Length == 0
    )


def children(node: Node) -> Iterator[Node]:
    for name in _parts(type(node)):
        part = getattr(node, name)
        if part is None:
            continue
        for child in (part,) if isinstance(part, ScriptDom.TSqlFragment) else part:
            if isinstance(child, ScriptDom.TSqlFragment):
                yield child


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from walk(child)


def source(node: Node) -> str:
    """The text of a fragment, as it was written."""
    tokens = node.ScriptTokenStream
    return "".join(tokens[i].Text for i in range(node.FirstTokenIndex, node.LastTokenIndex + 1))


def written(node: Node) -> str:
    """A fragment without its source, written by ScriptDom."""
    return str(ScriptDom.Sql150ScriptGenerator().GenerateScript(node, None) or "")
