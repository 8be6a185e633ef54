#!/usr/bin/env bash
# Prints the paths of this Node and of later ones, which are fetched from npm into build-nodes at first.
set -euo pipefail
cd "$(dirname "$0")/.."

versions="22.23.3 24.21.0 26.10.0"
package=node-linux-$(node -p process.arch)
cache=build-nodes
mkdir -p "$cache"

command -v node
for version in $versions; do
  if [ ! -x "$cache/$version/bin/node" ]; then
    npm pack --silent --pack-destination "$cache" "$package@$version" >/dev/null
    mkdir -p "$cache/$version"
    tar -xzf "$cache/$package-$version.tgz" -C "$cache/$version" --strip-components=1 package/bin/node
    rm "$cache/$package-$version.tgz"
  fi
  echo "$PWD/$cache/$version/bin/node"
done
