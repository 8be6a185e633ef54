#!/usr/bin/env bash
# Older x86 CPUs, emulated: on Nehalem (no AVX) the scalar kernels must serve, on Haswell (no AVX-512) AVX2, with the
# pinned bits. An instruction the CPU lacks ends the process with SIGILL.
#   bash checks/old-cpu.sh [PACKAGE_DIRECTORY]   by default this clone
set -euo pipefail
cd "$(dirname "$0")/.."

package=$(cd "${1:-.}" && pwd)
node=$(command -v node)

# qemu names, thread by thread, the features of the real model that it does not emulate.
quietly() { "$@" 2> >(grep -v "TCG doesn't support requested feature" >&2); }

quietly qemu-x86_64 -cpu Nehalem "$node" checks/corpus.mjs "$package" --expect scalar --without-longest
quietly qemu-x86_64 -cpu Haswell "$node" checks/corpus.mjs "$package" --expect avx2 --without-longest

# A forced choice that can't be met is an error with a code, not a crash.
refusal=$(SOFTMAX_ISA=avx512 quietly qemu-x86_64 -cpu Haswell "$node" --input-type=module -e "
  await import('$package/dist/index.mjs').then(
    () => console.log('loaded'),
    (error) => console.log(error.code),
  );")
[ "$refusal" = ERR_BACKEND ] || { echo "old-cpu: SOFTMAX_ISA=avx512 on Haswell: $refusal" >&2; exit 1; }
echo "old CPUs: SOFTMAX_ISA=avx512 on Haswell is refused with ERR_BACKEND"
