#!/usr/bin/env bash
# Everything of docs/hardening.md, one after the other: a failure does not keep the rest from running. Each writes a log into
# build-hardening. Debian packages: what CONTRIBUTING.md names for each of them.
#   bash checks/hardening.sh [--quick] [--only NAME]...
# --quick: what .ci/run runs, five minutes of CPU. Needs `npm ci && npm run build:all` before.
set -uo pipefail
cd "$(dirname "$0")/.."

quick= only=()
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=1 ;;
    --only) only+=("$2"); shift ;;
    *) echo "check-hardening: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done

logs=build-hardening
mkdir -p "$logs"
begin=$SECONDS
passed=() failed=()

run() { # run NAME COMMAND...
  local name=$1 start=$SECONDS outcome=passed
  shift
  if [ ${#only[@]} -gt 0 ] && [[ " ${only[*]} " != *" $name "* ]]; then return; fi
  echo "--- $name: $*"
  if "$@" >"$logs/$name.log" 2>&1; then passed+=("$name"); else failed+=("$name") outcome=FAILED; fi
  tail -n "$([ "$outcome" = passed ] && echo 3 || echo 40)" "$logs/$name.log"
  echo "--- $name: $outcome, $((SECONDS - start)) s"
}
check() { # check NAME [OPTION]...: npm run check:NAME
  npm run --silent "check:$1" -- "${@:2}"
}

if [ -n "$quick" ]; then
  run guard-pages bash -c 'npm run --silent build:cmake && build-cmake/guard_pages && build-cmake/fuzz_replay native/fuzz/cases 20'
  run exhaustive check exhaustive --quick
  run calls check calls --quick
  run state check state --quick
  run big-sizes check big-sizes --quick
  run mutants check mutants --quick
else
  run guard-pages bash -c 'npm run --silent build:cmake && build-cmake/guard_pages --full'
  run exhaustive check exhaustive
  run calls check calls
  run state check state
  run big-sizes check big-sizes
  run hazards check hazards
  run asan check asan
  run tsan check tsan
  run coverage npm run --silent coverage
  run mutants check mutants
  run fuzz check fuzz
fi

echo "hardening: ${#passed[@]} passed${failed[*]:+, FAILED: ${failed[*]}}, $((SECONDS - begin)) s"
[ ${#failed[@]} = 0 ]
