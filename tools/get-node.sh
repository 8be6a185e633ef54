#!/usr/bin/env bash
# Prints the path of a Node from npm, which is fetched into build-nodes at first.
#   bash tools/get-node.sh PLATFORM VERSION     e.g. linux-arm64 22.23.3
set -euo pipefail
cd "$(dirname "$0")/.."

platform=$1
version=$2
program=bin/node
case $platform in win-*) program=bin/node.exe ;; esac
directory=build-nodes/$platform-$version
if [ ! -e "$directory/$program" ]; then
  mkdir -p "$(dirname "$directory/$program")"
  # Two scripts may fetch it at the same time: it appears when it is whole.
  fetched=$(mktemp -d build-nodes/fetched-XXXXXX)
  npm pack --silent --pack-destination "$fetched" "node-$platform@$version" >/dev/null
  tar -xzf "$fetched/node-$platform-$version.tgz" -C "$fetched" --strip-components=1 "package/$program"
  mv "$fetched/$program" "$directory/$program"
  rm -r "$fetched"
fi
echo "$PWD/$directory/$program"
