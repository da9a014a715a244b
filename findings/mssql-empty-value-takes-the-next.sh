#!/usr/bin/env bash
# An empty value in a connection string, and the setting behind it is gone.
#
# One would guess: in `Server=db;Application Name=;Database=shop` the application has no name and the database is `shop`. ADO.NET, whose form this is, says
# so: a key without a value counts as not given, and semicolons that follow each other are passed over
# (https://learn.microsoft.com/dotnet/api/system.data.common.dbconnectionstringbuilder). Generated strings have such gaps, where a variable is not set.
# What happens in the driver that most of Node.js uses (mssql, with @tediousjs/connection-string 1.1.0): the semicolon behind an empty value is read as the
# value's first character, up to the next one. `Application Name` is then `;Database=shop`, and the program works in the login's default database; a
# doubled semicolon becomes a part of the server's name.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts mssql@12.7.14 @tediousjs/connection-string@1.1.0
node - <<'NODE'
const assert = require("node:assert");
const { ConnectionPool } = require("mssql");
for (const name of ["mssql", "@tediousjs/connection-string"]) {
    console.log(name, JSON.parse(require("node:fs").readFileSync(`node_modules/${name}/package.json`)).version);
}
const shown = (string) => {
    const { server, database, user } = ConnectionPool.parseConnectionString(string);
    console.log(`${string}\n    server ${server}, database ${database}, user ${user}`);
    return [server, database, user];
};
const end = "User ID=app;Password=secret";
assert.deepEqual(shown(`Server=db;Database=shop;${end}`), ["db", "shop", "app"]);
// As it is.
assert.deepEqual(shown(`Server=db;Application Name=;Database=shop;${end}`), ["db", undefined, "app"]);
assert.deepEqual(shown(`Server=db;Database=;${end}`), ["db", ";User ID=app", undefined]);
assert.deepEqual(shown(`Server=db;;Database=shop;${end}`), ["db;Database=shop", undefined, "app"]);
// Two quotes say the same, and are read as it.
assert.deepEqual(shown(`Server=db;Application Name="";Database=shop;${end}`), ["db", "shop", "app"]);
NODE
