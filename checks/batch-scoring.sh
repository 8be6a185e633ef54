#!/usr/bin/env bash
# The example of batch scoring: the bytes of one process for every operation and format; dead jobs, a full disk; workers and
# Redis that are killed; the page of jobs in a browser; that the demonstration runs. Installs what it needs into
# examples/batch-scoring (120 MB) when it is missing or of other versions.
set -euo pipefail
cd "$(dirname "$0")/../examples/batch-scoring"

if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then npm run --silent setup; fi
node check/main.mjs "$@"
[[ $* =~ results|errors|losses|browser ]] && exit

output=$(npm start --silent -- demo "$@")
echo "$output"
[ "$(grep -cE "^ +[0-9]+ .* ms +[0-9]+ %$" <<<"$output")" = 5 ] || { echo "batch-scoring: no figures" >&2; exit 1; }
