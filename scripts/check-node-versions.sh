#!/usr/bin/env bash
# The same bits of every dtype on this Node and on later ones from npm, which have Float16Array, on both backends.
# Needs `npm run build` before.
set -euo pipefail
cd "$(dirname "$0")/.."

versions="22.23.3 24.21.0 26.10.0"
package=node-linux-$(node -p process.arch)
cache=build-nodes
mkdir -p "$cache"

nodes=("$(command -v node)")
for version in $versions; do
  if [ ! -x "$cache/$version/bin/node" ]; then
    npm pack --silent --pack-destination "$cache" "$package@$version" >/dev/null
    mkdir -p "$cache/$version"
    tar -xzf "$cache/$package-$version.tgz" -C "$cache/$version" --strip-components=1 package/bin/node
    rm "$cache/$package-$version.tgz"
  fi
  nodes+=("$cache/$version/bin/node")
done

expected=""
for node in "${nodes[@]}"; do
  for backend in native js; do
    hashes=$(SOFTMAX_BACKEND=$backend "$node" scripts/check-dtypes.mjs)
    if [ "$hashes" != "${expected:=$hashes}" ]; then
      echo "dtypes: other bits on $("$node" --version), $backend:" >&2
      diff <(echo "$expected") <(echo "$hashes") >&2 || true
      exit 1
    fi
  done
done
echo "dtypes: the same bits on all Node versions and backends:"
echo "$expected"
