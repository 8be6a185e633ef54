// The addon of mode.c, which main.sh builds, and the modes that it sets.

import { createRequire } from 'node:module';

export const { getMode, setMode, lose } = createRequire(import.meta.url)(
  new URL('../../build-check/state/mode.node', import.meta.url).pathname,
);

const usual = getMode();

const modesOf = {
  x64: {
    'denormals are 0': usual | 0x8040,
    'rounding down': usual | 0x2000,
    'rounding towards 0, denormals are 0': usual | 0xe040,
  },
  arm64: {
    'denormals are 0': (1 << 24) | (1 << 19),
    'rounding down': 2 << 22,
    'rounding towards 0, denormals are 0': (3 << 22) | (1 << 24),
  },
};

export const modes = Object.entries(modesOf[process.arch]).map(([name, mode]) => ({
  name,
  mode,
  rounds: name.startsWith('rounding'),
}));

/** What `body` returns in a mode; throws if it leaves another. */
export function inMode({ name, mode }, body) {
  setMode(mode);
  let after;
  let result;
  try {
    result = body();
  } finally {
    after = getMode();
    setMode(usual);
  }
  if (after !== mode) throw new Error(`${name}: the mode was ${mode} before and is ${after} afterwards`);
  return result;
}
