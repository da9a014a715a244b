#!/usr/bin/env bash
# Valkey 8: WAIT on a connection that has not written anything says that replicas have what others wrote, although they have not. Redis 7.0 says that they have not.
#
# One would guess: the fork answers WAIT as Redis does. There a connection that has run any command since a write, be it a PING, waits for that write too,
# whoever made it: whoever finds a value and then asks WAIT knows whether replicas have it.
# What happens: Valkey waits up to the connection's own last write. A connection that has only read, or whose script found everything in place and wrote
# nothing, is told at once that every replica acknowledged. So the usual way to make a write once ("set it unless it is there, then WAIT") is right on Redis
# and not on Valkey: the second attempt, after a lost answer, writes nothing, and its WAIT proves nothing. A write of any kind before it, such as
# setting the key's own expiry anew, makes the answer right again.
#
# Needs Debian 12: both servers are its packages, unpacked into a temporary folder; Valkey's is among its backports.
set -euo pipefail
work=$(mktemp -d)
finish() {
  # Those that stand still, too.
  xargs --no-run-if-empty kill -KILL <"$work/pids" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
cd "$work"
: >pids

# Lists of packages of its own, so that nothing on the machine changes.
mkdir -p apt/lists/partial apt/cache/archives/partial
: >apt/status
mirror=$(apt-get indextargets --format "\$(REPO_URI)" 'Codename: bookworm' 'Identifier: Packages' | head -n 1)
for suite in bookworm bookworm-backports; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >>apt/sources.list
done
apt=(-o "Dir::Etc::sourcelist=$work/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$work/apt/lists"
  -o "Dir::Cache=$work/apt/cache" -o "Dir::State::status=$work/apt/status" -o APT::Sandbox::User=root)
apt-get "${apt[@]}" -qq update
# The programs are in the tools' packages, with the libraries that both need.
packages=(redis-tools=5:7.0.15-1~deb12u7 valkey-server=8.0.1+dfsg1-1~bpo12+1 valkey-tools=8.0.1+dfsg1-1~bpo12+1 libatomic1 libhiredis0.14 libjemalloc2
  liblua5.1-0 liblzf1 lua-bitop lua-cjson)
apt-get "${apt[@]}" -qq download "${packages[@]}"
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu
cli=$work/root/usr/bin/redis-cli

# Waits for a condition, for ten seconds.
until_true() {
  for _ in {1..200}; do
    if "$@"; then return 0; fi
    sleep 0.05
  done
  echo "never: $*" >&2
  return 1
}

# Whether a server with one replica says on a connection that has only read that the replica has what another connection wrote, while the replica
# stands still. Prints the two answers: of the connection that wrote, and of the one that read.
answers() {
  local program=$1 port=$2 replica
  local options=(--bind 127.0.0.1 --save '' --appendonly no --daemonize no --repl-diskless-sync-delay 0)
  mkdir -p "data$port" "data$((port + 1))"
  "$program" "${options[@]}" --port "$port" --dir "data$port" >"log$port" &
  echo $! >>pids
  "$program" "${options[@]}" --port $((port + 1)) --dir "data$((port + 1))" --replicaof 127.0.0.1 "$port" >"log$((port + 1))" &
  replica=$!
  echo "$replica" >>pids
  is_online() { "$cli" -p "$port" info replication 2>/dev/null | grep -q 'slave0:.*state=online'; }
  until_true is_online
  until_true test "$(printf 'SET a 1\nWAIT 1 2000\n' | "$cli" -p "$port" | tail -n 1)" = 1
  kill -STOP "$replica"
  printf 'SET a 2\nWAIT 1 300\n' | "$cli" -p "$port" | tail -n 1
  printf 'GET a\nWAIT 1 300\n' | "$cli" -p "$port" | tail -n 1
  # After a write of its own, whatever it is, the answer is right.
  printf 'EXPIRE a 1000\nWAIT 1 300\n' | "$cli" -p "$port" | tail -n 1
}

redis=$work/root/usr/bin/redis-check-rdb
valkey=$work/root/usr/bin/valkey-server
# One program under several names: it is a server under this one.
ln -s "$redis" redis-server
port=$((20000 + RANDOM % 10000))
seen_redis=$(answers "$work/redis-server" "$port" | tr '\n' ' ')
seen_valkey=$(answers "$valkey" $((port + 2)) | tr '\n' ' ')
"$work/redis-server" --version
"$valkey" --version
echo "replicas that have it, by the connection that wrote, one that only read, one that wrote something else:"
echo "Redis:  $seen_redis"
echo "Valkey: $seen_valkey"
[[ $seen_redis == '0 0 0 ' && $seen_valkey == '0 1 0 ' ]]
