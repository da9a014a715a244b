#!/usr/bin/env bash
# node-sql-parser, and Prettier with it, write back other values than stood in a T-SQL script: amounts are rounded, and texts lose their backslashes.
#
# One would guess: who parses a statement and writes it again keeps its literals, whatever becomes of its layout; and a parser that keeps
# 9223372036854775807 as it is, beyond what a JavaScript number holds, keeps an amount with as many digits too.
# What happens, in node-sql-parser 5.4.0 with the database transactsql, which prettier-plugin-sql 0.20.0 offers as a formatter:
# - 12345678901234.5678 becomes 12345678901234.5684, and 0.30000000000000001 becomes 0.29999999999999999: whole numbers are kept as text where they
#   are too large, and everything with a point goes through a float and is written with as many places as it had. Fifteen digits are safe.
# - 'C:\new\table' becomes C:, a line feed, ew, a tab, able: backslashes are read as in C. T-SQL knows no escapes in a string.
# - two minus signs that a space keeps apart, as in "- -1", become the beginning of a comment, and all is written on one line: what follows is gone.
# No error in any of them. sql-formatter 15.9.0, the plugin's default, works on tokens and leaves all three as they are.
# Whom it hurts: scripts with amounts of decimal(19,4), seed data with paths or regular expressions, and whoever edits statements through the tree.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund prettier@3.10.1 prettier-plugin-sql@0.20.0 node-sql-parser@5.4.0 sql-formatter@15.9.0 >log 2>&1 || { cat log; exit 1; }
for package in prettier prettier-plugin-sql node-sql-parser sql-formatter; do
  node -p "const {name, version} = require('./node_modules/$package/package.json'); name + ' ' + version"
done

# formatted FORMATTER: what Prettier makes of the statement on standard input, on one line as far as that leaves its texts alone.
formatted() {
  if [ "$1" = node-sql-parser ]; then
    node_modules/.bin/prettier --plugin prettier-plugin-sql --parser sql --formatter node-sql-parser --database transactsql
  else
    node_modules/.bin/prettier --plugin prettier-plugin-sql --parser sql --formatter sql-formatter --language transactsql
  fi
}

# becomes STATEMENT KEPT WRITTEN: the statement holds the first, the default formatter keeps it, and the other writes the second in its place.
becomes() {
  local kept written
  kept=$(printf '%s\n' "$1" | formatted sql-formatter)
  written=$(printf '%s\n' "$1" | formatted node-sql-parser)
  printf '\n%s\n→ %s\n' "$1" "$written"
  [[ $kept == *"$2"* ]] || { echo "sql-formatter does not keep $2 any more: $kept"; exit 1; }
  [[ $written == *"$3"* && $written != *"$2"* ]] || { echo "node-sql-parser does not write $3 any more"; exit 1; }
}

becomes 'INSERT INTO dbo.payments (amount) VALUES (12345678901234.5678);' '12345678901234.5678' '12345678901234.5684'
becomes 'UPDATE dbo.rates SET rate = 0.30000000000000001 WHERE id = 1;' '0.30000000000000001' '0.29999999999999999'
becomes "UPDATE dbo.folders SET path = 'C:\\new\\table' WHERE id = 1;" "'C:\\new\\table'" "'C:"$'\n'"ew"$'\t'"able'"
becomes 'SELECT price, - -1 AS one, quantity FROM dbo.lines;' '- -1' '--1'

# As it is: a whole number of nineteen digits, and an amount of fifteen, stay what they are.
plain='UPDATE dbo.payments SET amount = 12345678901.2345 WHERE id = 9223372036854775807;'
written=$(printf '%s\n' "$plain" | formatted node-sql-parser)
printf '\n%s\n→ %s\n' "$plain" "$written"
[[ $written == *12345678901.2345*9223372036854775807* ]]
