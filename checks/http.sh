#!/usr/bin/env bash
# The HTTP example on both backends: answers, refusals, aborted requests, and that its load test runs. Installs fastify and
# autocannon into examples/http (22 MB) when they are missing or of other versions.
set -euo pipefail
cd "$(dirname "$0")/../examples/http"

if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then npm run --silent setup; fi
node check.mjs
output=$(npm start --silent -- --quick)
echo "$output"
for name in idle sync async; do
  [ "$(grep -cE "^ *$name .*[0-9]\.[0-9] / [0-9]+\.[0-9]$" <<<"$output")" = 2 ] || { echo "http: no figures for $name" >&2; exit 1; }
done
