# What asan.sh and tsan.sh share: the addon of a sanitizer, the vitest suite with it, and the
# search for reports. Every process writes its reports into files (log_path), and a file is a failure: of a test's own
# processes nobody may look at the exit code, and vitest ends its workers by a signal. A caller sets
#   name       of the sanitizer, for what is printed
#   out        the directory where all this is built
#   compiler   a C++ compiler
#   flags      what it is to do
#   library    the sanitizer's runtime: in a program that was not compiled for it, it has to be loaded first

# How much is run: all, or with --quick a part of each.
kernels_test=(200000)
races=(--quick)
quickly=no
few() { # few: what --quick stands for
  quickly=yes
  kernels_test=(5000)
  races+=(--count 20 --workers 8 --calls 5000)
}

prepare() {
  stage=$PWD/$out/package
  reports=$PWD/$out/reports
  rm -rf "$reports"
  mkdir -p "$reports"
}

# -O1: less is optimised away before a sanitizer has seen it, and it builds sooner.
build() { # build [DEFECT]: with a function of native/test/seeded_defect.h in every job
  local log=$out/build.log
  {
    cmake -S . -B "$out" -Wno-dev -DCMAKE_CXX_COMPILER="$compiler" -DBUILD_TESTING=ON -DSOFTMAX_SEEDED_DEFECT="${1:-}" \
      -DSOFTMAX_FLAGS=-O1 -DCMAKE_CXX_FLAGS="$flags -fno-omit-frame-pointer -g1" \
      -DCMAKE_JS_INC="$(node -p "require('node-api-headers').include_dir")" &&
      cmake --build "$out" -j 2 --target softmax_native kernels_test
  } >"$log" 2>&1 || { cat "$log"; exit 1; }
  node checks/async-races/stage.mjs "$stage" --addon "$out/softmax_native.node" --suite
}

# The seconds are for what hangs: many times what a computer needs that has nothing else to do.
clean() { # clean SECONDS COMMAND...: it succeeds in that time, and none of its processes has anything to report
  local status=0
  timeout --kill-after=10 "$@" || status=$?
  if [ -n "$(ls "$reports")" ]; then
    head -n 60 "$reports"/*
    echo "$name: reports of $(ls "$reports" | wc -l) processes" >&2
    exit 1
  fi
  [ "$status" = 0 ] || { echo "$name: exit code $status: ${*:2}" >&2; exit 1; }
}

suite() { # suite ARGUMENT...: vitest with the sanitizer's addon
  clean 7200 env LD_PRELOAD="$library" node "$stage/node_modules/vitest/vitest.mjs" run --root "$stage" --silent \
    --testTimeout 600000 "$@"
}

native_suite() { # on every instruction set, or the best one
  local projects=(--project '!js')
  if [ "$quickly" = yes ]; then
    local best
    best=$(LD_PRELOAD="$library" node -p "require('$stage/build/Release/softmax_native.node').supported[0]")
    projects=(--project "$best" --project package)
  fi
  suite "${projects[@]}"
}

finds() { # finds DEFECT WORDS COMMAND...: put into the addon, it makes a command fail, with these words in a report
  build "$1"
  local log=$out/$1.log
  if ("${@:3}") >"$log" 2>&1 || ! grep -q "$2" "$reports"/*; then
    tail -n 60 "$log"
    echo "$name: the defect that was put in, $1, was not reported" >&2
    exit 1
  fi
  rm -r "$log" "$reports"/*
  echo "$name: finds $1"
}
