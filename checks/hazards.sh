#!/usr/bin/env bash
# What callers, other threads, ending workers and ending processes may do while asynchronous calls are under way, on this
# Node and on later ones from npm (checks/async-races). Needs `npm run build:all` before.
#   bash checks/hazards.sh [--quick] [--count RACES_OF_EACH_FUNCTION] [--seed N] [--only KIND,...]
# --quick: on this Node alone, in less than a minute.
set -euo pipefail
cd "$(dirname "$0")/.."

nodes=$(command -v node)
case " $* " in
*" --quick "*) ;;
*) nodes=$(bash tools/get-nodes.sh) ;;
esac
for node in $nodes; do
  timeout --kill-after=10 3600 "$node" checks/async-races/main.mjs "$@"
done
