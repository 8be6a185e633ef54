#!/usr/bin/env bash
# Prints the path of a Node from npm, which is fetched into build-nodes at first.
#   bash scripts/get-node.sh PLATFORM VERSION     e.g. linux-arm64 22.23.3
set -euo pipefail
cd "$(dirname "$0")/.."

platform=$1
version=$2
program=bin/node
case $platform in win-*) program=bin/node.exe ;; esac
directory=build-nodes/$platform-$version
if [ ! -e "$directory/$program" ]; then
  mkdir -p "$directory"
  npm pack --silent --pack-destination "$directory" "node-$platform@$version" >/dev/null
  tar -xzf "$directory/node-$platform-$version.tgz" -C "$directory" --strip-components=1 "package/$program"
  rm "$directory/node-$platform-$version.tgz"
fi
echo "$PWD/$directory/$program"
