#!/usr/bin/env bash
# The two examples of tokens, on both backends: the names that a small model makes, and the server of completions, asked by
# OpenAI's own client; that its load test runs. Installs what they need into examples/names and examples/llm-server (60 MB)
# when it is missing or of other versions.
set -euo pipefail
cd "$(dirname "$0")/../examples/llm-server"

for example in . ../names; do
  if [ ! $example/node_modules/.package-lock.json -nt $example/package-lock.json ]; then npm run --silent setup --prefix $example; fi
done
node ../names/check.mjs

expected=""
for backend in native js; do
  output=$(SOFTMAX_BACKEND=$backend node check.mjs)
  echo "$output"
  answers=$(sed -n 's/^answers //p' <<<"$output")
  [ -n "$answers" ] && [ "$answers" = "${expected:=$answers}" ] || { echo "llm-server: $backend answers otherwise" >&2; exit 1; }
done

output=$(npm run --silent load -- --quick)
echo "$output"
for name in softmax-native "sorted pairs"; do
  [ "$(grep -cE ", $name +[1-9][0-9]* .* µs +[0-9]+ %$" <<<"$output")" = 2 ] || { echo "llm-server: no figures for $name" >&2; exit 1; }
done
