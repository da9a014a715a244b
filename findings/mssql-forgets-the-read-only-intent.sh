#!/usr/bin/env bash
# A connection string says ApplicationIntent=ReadOnly, and the reads go to the primary.
#
# One would guess: `ApplicationIntent=ReadOnly`, as Microsoft's documentation and every generated string write it
# (https://learn.microsoft.com/sql/database-engine/availability-groups/windows/listeners-client-connectivity-application-failover), marks the login as
# read-only, so that the listener of an availability group leads it to a secondary; and `Application Name` names the program in sys.dm_exec_sessions.
# What happens in the driver that most of Node.js uses (mssql 12.7.14): the value is compared with "readonly" in lower case, so only who writes it against the
# documentation has the bit set in the login. Any other spelling, the documented one among them, is a login for reading and writing, and nothing
# says so: the secondaries idle. `Application Name` is read and dropped: every program is called node-mssql. As fields of an object both work.
# A listener of this script reads the login that is sent (LOGIN7 of MS-TDS): the bit fReadOnlyIntent, and the application's name.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts mssql@12.7.14 @tediousjs/connection-string@1.1.0
cat >logins.js <<'NODE'
const assert = require("node:assert");
const { readFileSync } = require("node:fs");
const net = require("node:net");
const { ConnectionPool } = require("mssql");
for (const name of ["mssql", "@tediousjs/connection-string", "tedious"]) {
    console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version);
}

const PRELOGIN = 0x12, LOGIN7 = 0x10;
// A server of version 16 that cannot encrypt.
const answer = Buffer.from("0401001800000100" + "00000b0006" + "0100110001" + "ff" + "100003e80000" + "02", "hex");
answer.writeUInt16BE(answer.length, 2);

// What the next login says; the connection ends then.
function login(config) {
    return new Promise((done) => {
        const server = net.createServer((socket) => {
            let received = Buffer.alloc(0);
            socket.on("error", () => {});
            socket.on("data", (data) => {
                received = Buffer.concat([received, data]);
                while (received.length >= 8 && received.length >= received.readUInt16BE(2)) {
                    const length = received.readUInt16BE(2), [type, body] = [received[0], received.subarray(8, length)];
                    received = received.subarray(length);
                    if (type === PRELOGIN) socket.write(answer);
                    if (type === LOGIN7) {
                        const [at, characters] = [body.readUInt16LE(48), body.readUInt16LE(50)];
                        done({ readOnly: (body[26] & 0x20) !== 0, application: body.toString("utf16le", at, at + 2 * characters) });
                        socket.destroy();
                        server.close();
                    }
                }
            });
        });
        server.listen(0, "127.0.0.1", () => new ConnectionPool(config(server.address().port)).connect().catch(() => {}));
    });
}

async function shown(settings) {
    const isText = typeof settings === "string";
    const text = (port) => `Server=127.0.0.1,${port};Database=shop;User ID=app;Password=secret;Encrypt=false;${settings}`;
    const object = (port) => ({ server: "127.0.0.1", port, database: "shop", user: "app", password: "secret", options: { encrypt: false, ...settings } });
    const said = await login(isText ? text : object);
    console.log((isText ? settings : JSON.stringify(settings)).padEnd(50), said);
    return [said.readOnly, said.application];
}

async function main() {
    assert.deepEqual(await shown({ readOnlyIntent: true, appName: "reports" }), [true, "reports"]);
    // As it is documented: neither is sent.
    assert.deepEqual(await shown("ApplicationIntent=ReadOnly"), [false, "node-mssql"]);
    assert.deepEqual(await shown("Application Name=reports"), [false, "node-mssql"]);
    // The key may be written as one likes, the value may not.
    assert.deepEqual(await shown("APPLICATIONINTENT=readonly"), [true, "node-mssql"]);
    assert.deepEqual(await shown("ApplicationIntent=READONLY"), [false, "node-mssql"]);
    process.exit();
}
main();
NODE
node logins.js
