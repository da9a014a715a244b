#!/bin/sh
# Plants each defect and searches for it; prints a table of the seeds that it took.
#
#   crates/simulate/defects/prove.sh [SEEDS] >FOUND.md
#
# SIMULATE names a program that was built with consumer.patch before; otherwise one is built.
#
# The defects of consumer and pipeline are in consumer.patch, which is applied to a copy: PLANTED=NAME switches one on. Nothing of it is
# ever part of this workspace. The build takes minutes: the copy shares no compiled crate of ours, only those of others where CARGO_TARGET_DIR is set.
set -eu
seeds=${1:-10000}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
program=${SIMULATE:-}
if [ -z "$program" ]; then
  copy=$(mktemp -d)
  trap 'rm -rf "$copy"' EXIT
  (cd "$root" && git ls-files -z | xargs -0 tar cf - 2>/dev/null) | tar xf - -C "$copy"
  (cd "$copy" && git init --quiet && git apply "$here/consumer.patch")
  (cd "$copy" && cargo build --profile simulate -p simulate >&2)
  program="${CARGO_TARGET_DIR:-$copy/target}/simulate/simulate"
fi

echo '# What was found'
echo
echo "Up to $seeds seeds each, from seed 1."
echo
echo '| defect | what is wrong | seeds | broken promise |'
echo '|---|---|---|---|'

# Runs the search and prints a row: the number of seeds, and what was broken.
row() {
  name=$1 about=$2
  shift 2
  answer=$("$@" --first 1 --seeds "$seeds" || true)
  number=$(printf '%s\n' "$answer" | sed -n 's/^seed .* fails, number \([0-9]*\) of the search$/\1/p')
  what=$(printf '%s\n' "$answer" | sed -n 's/^step [0-9]*, [0-9.]* s: //p' | head -n 1 | cut -c 1-90 | tr '|' '/')
  echo "| $name | $about | ${number:-not found} | $what |"
}

"$program" --defects | while read -r name about; do
  row "$name" "$about" "$program" --defect "$name"
done
while read -r name about; do
  row "$name" "$about" env "PLANTED=$name" "$program"
done <"$here/consumer.txt"
