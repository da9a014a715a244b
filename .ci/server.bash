# What .ci/kafka and .ci/redis share: `start DIR` and `stop DIR` of one server process. A script that sources this defines `launch DIR`,
# which starts the server, calls `remember` with its process id, and prints its address once it is up.
# shellcheck shell=bash

# A port below those that the system gives to clients, on which nothing listens.
free_port() {
  local port
  while port=$((RANDOM % 10000 + 20000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

remember() {
  echo "$2" >"$1/pid"
}

# Waits up to so many seconds until a command succeeds; gives up earlier when the process has ended.
await() {
  local seconds=$1 pid=$2 tenths
  shift 2
  for ((tenths = 0; tenths < seconds * 10; tenths++)); do
    kill -0 "$pid" 2>/dev/null || return 1
    if "$@"; then return 0; fi
    sleep 0.1
  done
  return 1
}

start() {
  local dir=$1
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  # Someone else may take a port between choosing and listening.
  for _ in 1 2 3; do
    launch "$dir" && return
    stop "$dir"
  done
  echo "$0 did not start a server; the end of $dir/log:" >&2
  tail -n 20 "$dir/log" >&2
  return 1
}

stop() {
  local dir=$1 pid
  [[ -f $dir/pid ]] || return 0
  pid=$(<"$dir/pid")
  rm "$dir/pid"
  kill "$pid" 2>/dev/null || return 0
  for ((tenths = 0; tenths < 100; tenths++)); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
}

# The script's own command line.
main() {
  case ${1-}:${2-} in
    start:?*) start "$2" ;;
    stop:?*) stop "$2" ;;
    *)
      echo "usage: $0 start|stop DIR" >&2
      return 2
      ;;
  esac
}
