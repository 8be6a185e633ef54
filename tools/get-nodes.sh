#!/usr/bin/env bash
# Prints the paths of this Node and of later ones, which are fetched from npm at first.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v node
for version in 22.23.3 24.21.0 26.10.0; do
  bash tools/get-node.sh "linux-$(node -p process.arch)" "$version"
done
