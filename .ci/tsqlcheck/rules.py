"""What neither the grammar nor the names show: counts of columns, texts that OPENJSON would cut, collations that clash, THROW after no semicolon.

The server tells of the first when the statement runs, of the second never, of the third when the plan is made. A value is followed from
OPENJSON through derived tables, CTEs, table variables, CASE and COALESCE into the column that keeps it. What has no type here (a function's
result, a table of the server's own) is let through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schema import DATABASE, MAX, Column, Cut, Schema, Table, Type, declared, identifier
from tree import Finding, Node, children, kind, parse, source, walk

Row = list[Column] | None  # none where something hides how many there are


class Scope:
    """The tables that an expression may name, by alias; what is not here may be around it."""

    def __init__(self, around: Scope | None = None) -> None:
        self.around = around
        self.sources: dict[str, Row] = {}
        self.ctes: dict[str, Row] = dict(around.ctes) if around else {}

    def find(self, qualifier: str | None, name: str) -> Column | None:
        for alias, row in self.sources.items():
            if qualifier in (None, alias):
                for column in row or ():
                    if column.name.lower() == name:
                        return column
        return self.around.find(qualifier, name) if self.around else None


def names(items: Sequence[Node]) -> list[str]:
    return [item.Value for item in items]


class Rules:
    def __init__(self, file: str, schema: Schema) -> None:
        self.file = file
        self.tables = dict(schema.tables)  # and those of this script alone
        self.above = 0  # lines before a script that stands in a string
        self.found: set[Finding] = set()

    def check(self, tree: Node) -> list[Finding]:
        self.visit(tree, Scope())
        return sorted(self.found)

    def report(self, node: Node, what: str, fix: str) -> None:
        self.found.add(Finding(self.file, node.StartLine + self.above, "rules", what, fix))

    def visit(self, node: Node, scope: Scope) -> None:
        """Looks at a fragment and at all in it; some kinds have a way of their own."""
        if own := getattr(self, f"on_{kind(node)}", None):
            own(node, scope)
        else:
            self.inside(node, scope)

    def inside(self, node: Node, scope: Scope) -> None:
        for child in children(node):
            self.visit(child, scope)

    # THROW ---------------------------------------------------------------------------------------------------------------------

    def on_TSqlScript(self, node: Node, scope: Scope) -> None:
        tokens = node.ScriptTokenStream
        own = {n.FirstTokenIndex for n in walk(node) if kind(n) == "ThrowStatement"}
        # The body of IF, WHILE and ELSE begins a statement of its own.
        bodies = {
            body.FirstTokenIndex
            for n in walk(node)
            for name in ("ThenStatement", "ElseStatement", "Statement")
            if (body := getattr(n, name, None)) is not None
        }
        before = ""
        for at, token in enumerate(tokens):
            if str(token.TokenType) in ("WhiteSpace", "SingleLineComment", "MultilineComment"):
                continue
            if (token.Text or "").upper() == "THROW":
                fix = "end the statement before it with a semicolon"
                if at not in own:
                    what = "THROW is read as a name that belongs to the statement before it"
                    self.found.add(Finding(self.file, token.Line + self.above, "rules", what, fix))
                elif at not in bodies and before not in (";", "", "BEGIN", "TRY", "CATCH", "AS", "GO", ":"):
                    what = "THROW follows a statement that does not end with a semicolon"
                    self.found.add(Finding(self.file, token.Line + self.above, "rules", what, fix))
            before = (token.Text or "").upper()
        self.inside(node, scope)

    def on_ExecutableStringList(self, node: Node, scope: Scope) -> None:
        """EXEC (N'…'): a script in a string."""
        if any(kind(s) != "StringLiteral" for s in node.Strings):
            return
        tree, errors = parse("".join(s.Value for s in node.Strings))
        for line, message in errors:
            self.found.add(Finding(self.file, node.StartLine + line - 1 + self.above, "grammar", message, "write what the grammar has"))
        here, self.above = self.above, self.above + node.StartLine - 1
        self.visit(tree, Scope())
        self.above = here

    # Tables of the script itself -----------------------------------------------------------------------------------------------

    def on_DeclareTableVariableBody(self, node: Node, scope: Scope) -> None:
        name = node.VariableName.Value.lower()
        self.tables[name] = Table.of(name, node.Definition)

    def on_CreateTableStatement(self, node: Node, scope: Scope) -> None:
        name = identifier(node.SchemaObjectName)
        if name.startswith("#") and node.Definition is not None:
            self.tables[name] = Table.of(name, node.Definition)

    # What a FROM names ---------------------------------------------------------------------------------------------------------

    def add(self, reference: Node, scope: Scope) -> None:
        """Puts a table of a FROM into the scope."""
        alias = reference.Alias.Value.lower() if getattr(reference, "Alias", None) is not None else None
        row: Row = None
        match kind(reference):
            case "NamedTableReference":
                name = identifier(reference.SchemaObject)
                row = scope.ctes[name] if name in scope.ctes else self.row(name)
                alias = alias or reference.SchemaObject.BaseIdentifier.Value.lower()
            case "VariableTableReference":
                row = self.row(reference.Variable.Name.lower())
                alias = alias or reference.Variable.Name.lower()
            case "OpenJsonTableReference":
                self.inside(reference, scope)
                row = [self.from_json(item.ColumnDefinition) for item in reference.SchemaDeclarationItems] or None
            case "QueryDerivedTable":
                row = self.renamed(reference, self.query(reference.QueryExpression, scope), names(reference.Columns))
            case "InlineDerivedTable":
                row = self.renamed(reference, self.values(reference.RowValues, scope), names(reference.Columns))
            case _:
                if hasattr(reference, "FirstTableReference"):
                    self.add(reference.FirstTableReference, scope)
                    self.add(reference.SecondTableReference, scope)
                    if getattr(reference, "SearchCondition", None) is not None:
                        self.visit(reference.SearchCondition, scope)
                    return
                if kind(reference) == "JoinParenthesisTableReference":
                    self.add(reference.Join, scope)
                    return
                self.inside(reference, scope)
        if alias:
            scope.sources[alias] = row

    def row(self, table: str) -> Row:
        return list(self.tables[table].columns.values()) if table in self.tables else None

    def from_json(self, definition: Node) -> Column:
        type_ = declared(definition.DataType)
        name = definition.ColumnIdentifier.Value
        cuts = (Cut(name, type_, definition.StartLine + self.above),) if type_ else ()
        if definition.Collation is not None:
            return Column(name, type_, definition.Collation.Value, cuts=cuts)
        return Column(name, type_, DATABASE if type_ and type_.text else None, cuts=cuts)

    def renamed(self, node: Node, row: Row, to: list[str]) -> Row:
        if not to or row is None:
            return row
        if len(row) != len(to):
            self.report(node, f"{len(to)} names for {len(row)} columns", "name each column once")
        return [replace(column, name=name) for column, name in zip(row, to)]

    # Queries -------------------------------------------------------------------------------------------------------------------

    def query(self, node: Node, around: Scope) -> Row:
        """The columns that a query returns."""
        match kind(node):
            case "QueryParenthesisExpression":
                return self.query(node.QueryExpression, around)
            case "BinaryQueryExpression":
                first, second = self.query(node.FirstQueryExpression, around), self.query(node.SecondQueryExpression, around)
                if first is None or second is None:
                    return None
                if len(first) != len(second):
                    word = str(node.BinaryQueryExpressionType).upper()
                    self.report(node, f"{word} of {len(first)} and {len(second)} columns", "return as many on both sides")
                return [replace(a, cuts=a.cuts + b.cuts) for a, b in zip(first, second)]
            case "QuerySpecification":
                return self.select(node, around)
        self.inside(node, around)
        return None

    def select(self, node: Node, around: Scope) -> Row:
        scope = Scope(around)
        if node.FromClause is not None:
            for reference in node.FromClause.TableReferences:
                self.add(reference, scope)
        for child in children(node):
            if kind(child) != "FromClause":
                self.visit(child, scope)
        row: list[Column] = []
        hidden = False
        for element in node.SelectElements:
            if kind(element) == "SelectScalarExpression":
                value = self.value(element.Expression, scope)
                row.append(replace(value, name=element.ColumnName.Value) if element.ColumnName is not None else value)
            elif kind(element) == "SelectStarExpression":
                of = element.Qualifier.Identifiers[0].Value.lower() if element.Qualifier is not None else None
                for alias, columns in scope.sources.items():
                    if of in (None, alias):
                        hidden |= columns is None
                        row += columns or ()
        return None if hidden else row

    def on_QuerySpecification(self, node: Node, scope: Scope) -> None:
        self.select(node, scope)

    def on_BinaryQueryExpression(self, node: Node, scope: Scope) -> None:
        self.query(node, scope)

    def values(self, rows: Sequence[Node], scope: Scope) -> Row:
        """The columns that VALUES gives: as many in every row."""
        first: list[Column] = []
        for number, row in enumerate(rows):
            values = [self.value(value, scope) for value in row.ColumnValues]
            self.inside(row, scope)
            if number == 0:
                first = values
            elif len(values) != len(first):
                self.report(row, f"a row of {len(values)} values after one of {len(first)}", "give every row as many values")
            else:
                first = [replace(a, cuts=a.cuts + b.cuts) for a, b in zip(first, values)]
        return first

    # Expressions ---------------------------------------------------------------------------------------------------------------

    def value(self, node: Node, scope: Scope) -> Column:
        """What an expression is: its type and collation, and the columns of OPENJSON that it takes its value from as it is."""
        result = Column("")
        match kind(node):
            case "ColumnReferenceExpression" if node.MultiPartIdentifier is not None:
                parts = [i.Value.lower() for i in node.MultiPartIdentifier.Identifiers]
                result = scope.find(parts[-2] if len(parts) > 1 else None, parts[-1]) or Column(parts[-1])
            case "ConvertCall" | "CastCall" | "TryConvertCall" | "TryCastCall":
                of = self.value(node.Parameter, scope)
                result = Column("", declared(node.DataType), of.collation, of.explicit)
            case "ScalarSubquery":
                row = self.query(node.QueryExpression, scope)
                result = row[0] if row else result
            case "FunctionCall" if node.FunctionName.Value.upper() in ("MIN", "MAX", "LTRIM", "RTRIM", "TRIM", "UPPER", "LOWER"):
                result = self.either(list(node.Parameters)[-1:], scope)
            case "FunctionCall" if node.FunctionName.Value.upper() == "ISNULL":
                result = self.either(list(node.Parameters), scope)
            case "ParenthesisExpression":
                result = self.value(node.Expression, scope)
            case "CoalesceExpression":
                result = self.either(list(node.Expressions), scope)
            case "NullIfExpression":
                result = self.value(node.FirstExpression, scope)
            case "IIfCall":
                result = self.either([node.ThenExpression, node.ElseExpression], scope)
            case "SearchedCaseExpression" | "SimpleCaseExpression":
                ends = [when.ThenExpression for when in node.WhenClauses]
                result = self.either(ends + ([node.ElseExpression] if node.ElseExpression is not None else []), scope)
            case "BinaryExpression":
                both = self.either([node.FirstExpression, node.SecondExpression], scope)
                result = Column("", None, both.collation, both.explicit)
        if getattr(node, "Collation", None) is not None:
            result = replace(result, collation=node.Collation.Value, explicit=True)
        return result

    def either(self, nodes: list[Node], scope: Scope) -> Column:
        values = [self.value(node, scope) for node in nodes]
        collated = sorted((v for v in values if v.collation), key=lambda v: not v.explicit)
        typed = [v.type for v in values if v.type]
        cuts = tuple(cut for v in values for cut in v.cuts)
        best = collated[0] if collated else Column("")
        return Column("", typed[0] if typed else None, best.collation, best.explicit, cuts)

    # Comparisons ---------------------------------------------------------------------------------------------------------------

    def compare(self, node: Node, a: Column, b: Column) -> None:
        if a.collation and b.collation and a.collation.lower() != b.collation.lower() and a.explicit == b.explicit:
            named = next((c for c in (a.collation, b.collation) if c != DATABASE), a.collation)
            what = f"a text of {a.collation} is compared with one of {b.collation}: {a.name or 'a value'} and {b.name or 'a value'}"
            self.report(node, what, f"write COLLATE {named} behind one of them")
        for json, column in ((a, b), (b, a)):
            for cut in json.cuts if not column.cuts and column.type else ():
                if cut.type.text and column.type and column.type.text and cut.type.length < column.type.length:
                    what = f"OPENJSON cuts {cut.name} to {cut.type} (line {cut.line}) before it is compared with {column.name} {column.type}"
                    self.report(node, what, f"declare {cut.name} {column.type} or wider")

    def on_BooleanComparisonExpression(self, node: Node, scope: Scope) -> None:
        self.compare(node, self.value(node.FirstExpression, scope), self.value(node.SecondExpression, scope))
        self.inside(node, scope)

    on_LikePredicate = on_BooleanComparisonExpression

    def on_BooleanTernaryExpression(self, node: Node, scope: Scope) -> None:
        for other in (node.SecondExpression, node.ThirdExpression):
            self.compare(node, self.value(node.FirstExpression, scope), self.value(other, scope))
        self.inside(node, scope)

    def on_InPredicate(self, node: Node, scope: Scope) -> None:
        value = self.value(node.Expression, scope)
        for other in node.Values:
            self.compare(node, value, self.value(other, scope))
        if node.Subquery is not None and (row := self.query(node.Subquery.QueryExpression, scope)):
            self.compare(node, value, row[0])
        self.inside(node, scope)

    # What is written -----------------------------------------------------------------------------------------------------------

    def with_ctes(self, node: Node, around: Scope) -> Scope:
        scope = Scope(around)
        ctes = node.WithCtesAndXmlNamespaces
        for cte in ctes.CommonTableExpressions if ctes is not None else ():
            row = self.renamed(cte, self.query(cte.QueryExpression, scope), names(cte.Columns))
            scope.ctes[cte.ExpressionName.Value.lower()] = row
        return scope

    def on_SelectStatement(self, node: Node, scope: Scope) -> None:
        self.query(node.QueryExpression, self.with_ctes(node, scope))

    def target(self, reference: Node, scope: Scope) -> Table | None:
        """The table that a statement writes; its name may be an alias of FROM, which is looked up by the caller."""
        if kind(reference) == "VariableTableReference":
            return self.tables.get(reference.Variable.Name.lower())
        if kind(reference) == "NamedTableReference":
            return self.tables.get(identifier(reference.SchemaObject))
        return None

    def flow(self, node: Node, value: Column, table: Table | None, name: str) -> None:
        """A value comes into a column."""
        column = table.columns.get(name.lower()) if table else None
        if not table or not column or not column.type:
            return
        rests = []
        for cut in value.cuts:
            have, want = cut.type, column.type
            if have.sized and want.sized and have.text == want.text:
                if have.length < want.length or (table.kept and have.length == want.length != MAX):
                    what = f"OPENJSON cuts {cut.name} to {have} (line {cut.line}) without a word before it comes into {table.name}.{name} {want}"
                    self.report(node, what, f"declare {cut.name} wider than the column, so that the write fails instead")
                if have.length <= want.length:
                    rests.append(cut)
            elif have != want:
                what = f"OPENJSON reads {cut.name} as {have} (line {cut.line}), and {table.name}.{name} is {want}"
                self.report(node, what, f"declare {cut.name} {want}")
        if not table.kept:
            table.holds(name, tuple(rests))

    def write(self, node: Node, table: Table | None, to: list[str], row: Row, how: str) -> None:
        """A row comes into the columns of a list, or into all of the table."""
        if row is None:
            self.report(node, f"{how} takes its columns from *, so that nobody sees how many they are", "name the columns")
            return
        if not to:
            if not table:
                return
            to = [column.name for column in table.columns.values()]
        if len(to) != len(row):
            fix = "give every column one value, in the same order"
            self.report(node, f"{how} has {len(to)} columns and {len(row)} values", fix)
            return
        for name, value in zip(to, row):
            self.flow(node, value, table, name)

    def into(self, clause: Node, table: Table | None, scope: Scope) -> None:
        """OUTPUT … INTO: inserted and deleted are the table's rows."""
        if clause is None:
            return
        out = Scope(scope)
        out.sources |= {name: list(table.columns.values()) if table else None for name in ("inserted", "deleted")}
        row = [self.value(column.Expression, out) for column in clause.SelectColumns if kind(column) == "SelectScalarExpression"]
        if len(row) == clause.SelectColumns.Count:
            self.write(clause, self.target(clause.IntoTable, scope), columns(clause.IntoTableColumns), row, "OUTPUT INTO")

    def on_InsertStatement(self, node: Node, around: Scope) -> None:
        scope, insert = self.with_ctes(node, around), node.InsertSpecification
        table, to = self.target(insert.Target, scope), columns(insert.Columns)
        match kind(insert.InsertSource):
            case "SelectInsertSource":
                self.write(insert, table, to, self.query(insert.InsertSource.Select, scope), "INSERT")
            case "ValuesInsertSource" if not insert.InsertSource.IsDefaultValues:
                self.write(insert, table, to, self.values(insert.InsertSource.RowValues, scope), "INSERT")
            case _:
                self.inside(insert.InsertSource, scope)
        self.into(insert.OutputIntoClause, table, scope)

    def changing(self, node: Node, around: Scope, change: Node) -> None:
        """UPDATE and DELETE."""
        scope = Scope(self.with_ctes(node, around))
        table, name = self.target(change.Target, scope), source(change.Target).lower()
        for reference in change.FromClause.TableReferences if change.FromClause is not None else ():
            self.add(reference, scope)
            for node_ in walk(reference):  # the target may be an alias
                if getattr(node_, "Alias", None) is not None and node_.Alias.Value.lower() == name:
                    table = self.target(node_, scope)
        if name not in scope.sources:
            self.add(change.Target, scope)
        for clause in getattr(change, "SetClauses", None) or ():
            self.set(clause, table, scope)
        if change.WhereClause is not None:
            self.visit(change.WhereClause, scope)
        self.into(change.OutputIntoClause, table, scope)

    def set(self, clause: Node, table: Table | None, scope: Scope) -> None:
        if getattr(clause, "Column", None) is not None and clause.NewValue is not None:
            self.flow(clause, self.value(clause.NewValue, scope), table, columns([clause.Column])[0])
        self.inside(clause, scope)

    def on_UpdateStatement(self, node: Node, scope: Scope) -> None:
        self.changing(node, scope, node.UpdateSpecification)

    def on_DeleteStatement(self, node: Node, scope: Scope) -> None:
        self.changing(node, scope, node.DeleteSpecification)

    def on_MergeStatement(self, node: Node, around: Scope) -> None:
        scope, merge = Scope(self.with_ctes(node, around)), node.MergeSpecification
        table = self.target(merge.Target, scope)
        alias = merge.TableAlias.Value if merge.TableAlias is not None else source(merge.Target).split(".")[-1]
        scope.sources[alias.lower()] = list(table.columns.values()) if table else None
        self.add(merge.TableReference, scope)
        self.visit(merge.SearchCondition, scope)
        for clause in merge.ActionClauses:
            if clause.SearchCondition is not None:
                self.visit(clause.SearchCondition, scope)
            action = clause.Action
            if kind(action) == "UpdateMergeAction":
                for change in action.SetClauses:
                    self.set(change, table, scope)
            elif kind(action) == "InsertMergeAction":
                self.write(action, table, columns(action.Columns), self.values(action.Source.RowValues, scope), "INSERT of MERGE")
        self.into(merge.OutputIntoClause, table, scope)


def columns(items: Sequence[Node]) -> list[str]:
    return [item.MultiPartIdentifier.Identifiers[item.MultiPartIdentifier.Identifiers.Count - 1].Value for item in items]
