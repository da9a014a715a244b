"""Columns and their types: what tables have after all migrations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tree import Node, kind, walk

MAX = 1 << 31  # the length of (max)
DATABASE = "the database's collation"
_UNSIZED = {"decimal": (18, 0), "numeric": (18, 0), "datetime2": (7,), "time": (7,), "datetimeoffset": (7,), "float": (53,)}
_TEXT = {"char", "varchar", "nchar", "nvarchar", "text", "ntext", "sysname"}
_BYTES = {"binary", "varbinary"}


@dataclass(frozen=True)
class Type:
    name: str
    size: tuple[int, ...] = ()

    @property
    def text(self) -> bool:
        return self.name in _TEXT

    @property
    def sized(self) -> bool:
        """Whether a value that is too long may be cut."""
        return self.name in _TEXT | _BYTES

    @property
    def length(self) -> int:
        return self.size[0] if self.size else 1

    def __str__(self) -> str:
        return f"{self.name}({','.join('max' if n == MAX else str(n) for n in self.size)})" if self.size else self.name


def declared(data_type: Node) -> Type | None:
    """The type that a declaration names; none where it is not a plain one."""
    if data_type is None or not hasattr(data_type, "Name") or data_type.Name is None:
        return None
    name = data_type.Name.BaseIdentifier.Value.lower()
    size = tuple(MAX if kind(p) == "MaxLiteral" else int(p.Value) for p in getattr(data_type, "Parameters", None) or ())
    return Type({"integer": "int", "numeric": "decimal"}.get(name, name), size or _UNSIZED.get(name, ()))


@dataclass(frozen=True)
class Cut:
    """A column of OPENJSON: it cuts or rounds what does not fit, and says nothing."""

    name: str
    type: Type
    line: int


@dataclass(frozen=True)
class Column:
    name: str
    type: Type | None = None
    collation: str | None = None  # of a text; None is a value that takes the other side's
    explicit: bool = False  # by a COLLATE of its own
    cuts: tuple[Cut, ...] = ()  # where the value comes from, unaltered


def column(definition: Node) -> Column:
    """The column that a definition in a table makes."""
    type_ = declared(definition.DataType)
    collation = definition.Collation.Value if definition.Collation is not None else None
    return Column(definition.ColumnIdentifier.Value, type_, (collation or DATABASE) if type_ and type_.text else None)


@dataclass
class Table:
    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    kept: bool = True  # not a variable or a temporary one

    @classmethod
    def of(cls, name: str, definition: Node) -> Table:
        columns = [column(d) for d in definition.ColumnDefinitions]
        return cls(name, {c.name.lower(): c for c in columns}, not name.startswith(("@", "#")))

    def holds(self, name: str, cuts: tuple[Cut, ...]) -> None:
        """Notes what may have been cut before it came into a column of this table."""
        at = self.columns[name.lower()]
        self.columns[name.lower()] = replace(at, cuts=tuple(dict.fromkeys((*at.cuts, *cuts))))


def identifier(name: Node) -> str:
    """A table's name in lower case, without dbo."""
    schema = name.SchemaIdentifier.Value.lower() if name.SchemaIdentifier is not None else "dbo"
    base: str = name.BaseIdentifier.Value.lower()
    return base if schema == "dbo" else f"{schema}.{base}"


class Schema:
    """Tables by name, and the statements that make them, roles and users, without ALTER TABLE for columns: DacFx's model takes only what creates."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.creates: dict[str, Node] = {}
        self.others: list[Node] = []

    def read(self, tree: Node) -> None:
        for node in walk(tree):
            match kind(node):
                case "CreateTableStatement":
                    name = identifier(node.SchemaObjectName)
                    if not name.startswith("#") and name not in self.tables:
                        self.tables[name] = Table.of(name, node.Definition)
                        self.creates[name] = node
                case "AlterTableAddTableElementStatement":
                    self._add(node)
                case "AlterTableAlterColumnStatement":
                    self._alter(node)
                case "AlterTableDropTableElementStatement":
                    self._drop(node)
                case "CreateIndexStatement" | "CreateTypeTableStatement" | "CreateSequenceStatement":
                    self.others.append(node)
                case "CreateRoleStatement" | "CreateLoginStatement" | "CreateUserStatement":
                    self.others.append(node)

    def _add(self, node: Node) -> None:
        name = identifier(node.SchemaObjectName)
        if name not in self.tables:
            return
        for definition in node.Definition.ColumnDefinitions:
            made = column(definition)
            if made.name.lower() not in self.tables[name].columns:
                self.tables[name].columns[made.name.lower()] = made
                self.creates[name].Definition.ColumnDefinitions.Add(definition)

    def _alter(self, node: Node) -> None:
        name, at = identifier(node.SchemaObjectName), node.ColumnIdentifier.Value.lower()
        if name not in self.tables or node.DataType is None:
            return
        type_ = declared(node.DataType)
        collation = node.Collation.Value if node.Collation is not None else DATABASE
        self.tables[name].columns[at] = Column(node.ColumnIdentifier.Value, type_, collation if type_ and type_.text else None)

    def _drop(self, node: Node) -> None:
        name = identifier(node.SchemaObjectName)
        for element in node.AlterTableDropTableElements if name in self.tables else ():
            at = element.Name.Value.lower()
            if str(element.TableElementType) == "Column" and self.tables[name].columns.pop(at, None):
                definitions = self.creates[name].Definition.ColumnDefinitions
                for definition in list(definitions):
                    if definition.ColumnIdentifier.Value.lower() == at:
                        definitions.Remove(definition)
