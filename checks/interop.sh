#!/usr/bin/env bash
# Real tensors of onnxruntime-node and transformers.js, on the native backend and in JavaScript, and their types. Installs the two into
# examples/interop (470 MB) when they are missing or of other versions.
set -euo pipefail
cd "$(dirname "$0")/../examples/interop"

if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then npm run --silent setup; fi
for backend in native js; do
  SOFTMAX_BACKEND=$backend npm start --silent
done
../../node_modules/.bin/tsc -p .
echo "interop: TypeScript agrees"
