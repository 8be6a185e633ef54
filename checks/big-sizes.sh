#!/usr/bin/env bash
# Proves that arrays of more than 2^31 and 2^32 elements are right up to their far end, in native code and in JavaScript, on
# this Node (20 has no longer arrays than 2^32 elements) and the newest. Needs `npm run build:all` before, and for each case
# up to 10 GiB of memory: one that has less is skipped, which is said.
# --quick: what needs no memory, in six seconds of CPU a Node; --node PATH: on that Node alone; CASE: a part of a case's name.
#   bash checks/big-sizes.sh [--node PATH] [--quick] [CASE...]
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" = --node ]; then
  nodes=$2
  shift 2
else
  nodes="$(command -v node) $(bash tools/get-nodes.sh | tail -n 1)"
fi
for node in $nodes; do
  "$node" --import tsx checks/big-sizes/main.ts "$@"
done
