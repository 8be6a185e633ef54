#!/usr/bin/env bash
# The same bits of every dtype on this Node and on later ones from npm, which have Float16Array, on both backends.
set -euo pipefail
cd "$(dirname "$0")/../.."

nodes=$(bash tools/get-nodes.sh)
expected=""
for node in $nodes; do
  for backend in native js; do
    hashes=$(SOFTMAX_BACKEND=$backend "$node" checks/node-versions/dtypes.mjs)
    if [ "$hashes" != "${expected:=$hashes}" ]; then
      echo "dtypes: other bits on $("$node" --version), $backend:" >&2
      diff <(echo "$expected") <(echo "$hashes") >&2 || true
      exit 1
    fi
  done
done
echo "dtypes: the same bits on all Node versions and backends:"
echo "$expected"
