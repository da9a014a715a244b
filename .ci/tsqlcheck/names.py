"""Every name, resolved by DacFx: the tables make its model, each batch of a script is a procedure in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from schema import Schema
from tree import Finding, Node, source, written
from Microsoft.SqlServer.Dac.Model import SqlServerVersion, TSqlModel, TSqlModelOptions, TSqlObjectOptions

# The server's own, of which the model has none.
_OUTSIDE = re.compile(r"\[sys\]\.|\bsp_getapplock\b|\bsp_executesql\b")
_SCRIPT = re.compile(r".*?\[script (\d+)\]", re.DOTALL)
_NAME = re.compile(r"\[?[\w$#@]+\]?(?:\.\[?[\w$#@]+\]?)+")
_OURS = re.compile(r"\[dbo\]\.\[script \d+\]")  # the procedure that we have made of a batch
_ALONE = re.compile(r"\[[\w$#@]+\]")  # a role, say
_FIX = "name what the migrations make"


def resolve(schema: Schema, scripts: Mapping[str, Node]) -> list[Finding]:
    model = TSqlModel(SqlServerVersion.Sql150, TSqlModelOptions())
    found: list[Finding] = []

    def add(text: str, name: str) -> None:
        try:
            model.AddOrUpdateObjects(text, name, TSqlObjectOptions())
        except Exception as refused:  # whatever .NET throws
            file = procedures[-1] if procedures else next(iter(scripts))
            found.append(Finding(file, 1, "names", str(refused).split("\n   at")[0], "write what DacFx can read"))

    procedures: list[str] = []
    for number, text in enumerate([written(n) for n in schema.creates.values()] + [source(n) for n in schema.others]):
        add(text, f"schema {number}")
    for file, tree in scripts.items():
        for batch in tree.Batches:
            text = source(batch)
            heads = ", ".join(f"{p} nvarchar(max)" for p in sorted(set(re.findall(r"@P\d+\b", text))))
            name = f"script {len(procedures)}"  # of each its own: a second text of one name would take the place of the first
            procedures.append(file)
            add(f"CREATE PROCEDURE dbo.[{name}] {heads and f'({heads})'} AS BEGIN {text}\nEND", name)
    for said in model.Validate():
        message = str(said.Message)
        if not _OUTSIDE.search(message):
            at = _SCRIPT.search(message)
            what = message[at.end() :].lstrip(": ") if at else message.split(": ", 1)[-1]
            files = [procedures[int(at[1])]] if at else list(scripts)
            file, line = next(places(what, {file: scripts[file] for file in files}), (files[0], 1))
            found.append(Finding(file, line, "names", what.rstrip("."), _FIX))
    return found


def places(message: str, scripts: Mapping[str, Node]) -> Iterator[tuple[str, int]]:
    """Where the last part of the name stands that a message complains of, as [a].[b] or a.b: DacFx tells no line."""
    message = _OURS.sub("", message)
    names = _NAME.findall(message) or _ALONE.findall(message)
    last = names[-1].rsplit(".", 1)[-1].strip("[]").lower() if names else ""
    for file, tree in scripts.items():
        for token in tree.ScriptTokenStream:
            if (token.Text or "").strip("[]").lower() == last:
                yield file, token.Line
