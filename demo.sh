#!/usr/bin/env bash
# Shows what the pipeline promises, in six steps with checks. Ends with 0 only if every check holds.
#
#   ./demo.sh            on the stack of docker-compose.yml where it is running, and otherwise in one process with embedded parts
#   ./demo.sh --compose  starts the stack first
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

fail() {
  printf 'demo: %s\n' "$1" >&2
  exit 2
}

has() { command -v "$1" >/dev/null 2>&1; }

# Compose is a plugin of docker, or a program of its own.
compose() {
  if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
}

has_compose() { has docker && compose version >/dev/null 2>&1; }

stack_runs() { has_compose && compose ps --services --status running 2>/dev/null | grep -qx api; }

start_the_stack() {
  has_compose || fail '--compose needs Docker with Compose: https://docs.docker.com/get-docker/'
  docker info >/dev/null 2>&1 || fail '--compose needs a running Docker engine that your user may use.'
  compose config --quiet || fail '--compose needs passwords: see "Containers" in README.md.'
  echo 'Starting the stack. The first time, images are fetched and built for some minutes.'
  compose up --detach --wait --build
}

on_the_stack() {
  echo 'The demo runs on the stack of docker-compose.yml.'
  compose run --rm --build demo
}

in_one_process() {
  local tool missing=()
  has cargo || fail 'Neither does the stack run (./demo.sh --compose starts it), nor is Rust installed: https://rustup.rs'
  for tool in cc make perl; do has "$tool" || missing+=("$tool"); done
  ((${#missing[@]} == 0)) || fail "To build the parts, this is missing: ${missing[*]}. On Debian and Ubuntu: sudo apt-get install build-essential perl"
  echo 'The demo runs in one process. The first build takes some minutes.'
  exec cargo run --release --package standalone -- demo
}

case ${1-} in
  --compose) start_the_stack && on_the_stack ;;
  '') if stack_runs; then on_the_stack; else in_one_process; fi ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 2 ;;
esac
