// sample: every option with values that it must not have. A typed error, and nothing written.

import * as api from 'softmax-native';
import { sample } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { type Module, outcomeOf } from './helpers/bad-calls.js';
import { badArguments, badOptions } from './helpers/bad-roles.js';
import type { Bad } from './helpers/bad-values.js';
import { any, detached, expectError } from './helpers/calls.js';

const module = api as unknown as Module;
const options = [
  ...(['shape', 'axis', 'temperature', 'mask', 'topK', 'topP', 'minP', 'typicalP', 'topNSigma'] as const),
  ...(['minKeep', 'keepTies', 'order', 'allowed', 'bias', 'penalties', 'count', 'seed', 'step'] as const),
  ...(['uniform', 'top', 'logProbsOf'] as const),
];

const outs = () => ({
  tokens: new Int32Array(2).fill(77),
  logProbs: new Float32Array(2).fill(77),
  rawLogProbs: new Float32Array(2).fill(77),
  kept: new Int32Array(2).fill(77),
});
/** Of two rows of three. */
const good = () => ({ shape: [2, 3], out: outs() });
const logits = () => Float32Array.of(1, 2, 3, 3, 2, 1);

async function expectRefused(label: string, make: () => unknown[]): Promise<void> {
  for (const name of ['sample', 'sampleAsync']) {
    const { error, touched } = await outcomeOf(module, name, { label, make });
    const { code, fn } = (error ?? {}) as { code?: string; fn?: string };
    expect(error instanceof TypeError || error instanceof RangeError, `${name}, ${label}: ${error}`).toBe(
      true,
    );
    expect(code, `${name}, ${label}: ${error}`).toMatch(/^ERR_/);
    expect(fn, label).toBe('sample');
    expect(touched, label).toBeUndefined();
  }
}

describe('sample refuses', () => {
  test.each(options)('%s', async (option) => {
    // Without another option these would be good.
    const seeded = option === 'uniform' ? { seed: undefined } : {};
    for (const [label, make] of badOptions[option])
      await expectRefused(`${option}: ${label}`, () => [
        logits(),
        { ...good(), ...seeded, [option]: make() },
      ]);
  });
  test('logits and options', async () => {
    for (const [label, make] of badArguments.floats)
      await expectRefused(`logits: ${label}`, () => [make(), good()]);
    for (const [label, make] of badArguments.options)
      await expectRefused(`options: ${label}`, () => [logits(), make()]);
  });
  test('out', async () => {
    const wrong: readonly Bad[] = [
      ...badOptions.out.filter(([label]) => !['{}', 'without a prototype'].includes(label)),
    ];
    for (const name of ['tokens', 'logProbs', 'rawLogProbs', 'kept', 'topTokens', 'topLogProbs'])
      for (const [label, make] of [
        ...wrong.filter(([label]) => label !== 'undefined'),
        ['of another length', () => new Int32Array(3)] as Bad,
        ['detached', () => detached(new Int32Array(2))] as Bad,
        ['elsewhere', () => ({ data: new Int32Array(2), dims: [2], location: 'gpu-buffer' })] as Bad,
        ['of another shape', () => ({ data: new Int32Array(2), dims: [2, 1] })] as Bad,
      ])
        await expectRefused(`out.${name}: ${label}`, () => [
          logits(),
          { shape: [2, 3], out: { ...outs(), [name]: make() } },
        ]);
    await expectRefused('out.token', () => [logits(), { out: { token: new Int32Array(1) } }]);
    await expectRefused('out: an array', () => [logits(), { out: new Int32Array(1) }]);
  });
  test('results in memory that is read, or of another result', async () => {
    const memory = (at: number, length: number) => new Int32Array(new ArrayBuffer(256), at, length);
    const within = (buffer: ArrayBufferLike, at: number) => new Int32Array(buffer, at, 2);
    const sharing = (make: (buffer: ArrayBuffer) => object) => () => {
      const { buffer } = memory(0, 1);
      return [logits(), { ...good(), ...make(buffer as ArrayBuffer) }];
    };
    await expectRefused('the logits', () => {
      const x = logits();
      return [x, { ...good(), out: { tokens: within(x.buffer, 4) } }];
    });
    const cases: Record<string, (buffer: ArrayBuffer) => object> = {
      temperature: (buffer) => ({ temperature: new Float32Array(buffer, 4, 2).fill(1) }),
      topK: (buffer) => ({ topK: new Float64Array(buffer, 0, 2) }),
      mask: (buffer) => ({ mask: new Uint8Array(buffer, 7, 6) }),
      allowed: (buffer) => ({ allowed: new Int32Array(buffer, 4, 2) }),
      bias: (buffer) => ({ bias: new Float32Array(buffer, 4, 3) }),
      'bias.indices': (buffer) => ({ bias: { indices: new Int32Array(buffer, 4, 1), values: [1] } }),
      'bias.values': (buffer) => ({ bias: { indices: [0], values: new Float32Array(buffer, 4, 1) } }),
      'penalties.tokens': (buffer) => ({ penalties: { tokens: new Int32Array(buffer, 4, 2) } }),
      'penalties.offsets': (buffer) => ({
        penalties: { tokens: [0], offsets: new Int32Array(buffer, 4, 3) },
      }),
      'penalties.presence': (buffer) => ({
        penalties: { tokens: [0, 1], presence: new Float32Array(buffer, 4, 2) },
      }),
      seed: (buffer) => ({ seed: new Int32Array(buffer, 4, 2) }),
      step: (buffer) => ({ step: new BigInt64Array(buffer, 0, 2) }),
      uniform: (buffer) => ({ uniform: new Float64Array(buffer, 0, 2) }),
    };
    for (const [name, make] of Object.entries(cases)) {
      const whole = sharing((buffer) => ({ ...make(buffer), out: { tokens: within(buffer, 4) } }));
      await expectRefused(name, whole);
      const [x, given] = whole() as [Float32Array, object];
      expectError('RangeError', { code: 'ERR_OUT_OVERLAP', argument: 'out.tokens' }, () =>
        sample(x, any(given)),
      );
    }
    await expectRefused(
      'another result',
      sharing((buffer) => ({ out: { tokens: within(buffer, 4), kept: within(buffer, 8) } })),
    );
    await expectRefused(
      'topTokens without top',
      sharing((buffer) => ({ out: { topTokens: within(buffer, 4) } })),
    );
    await expectRefused('uniform and seed', () => [logits(), { ...good(), uniform: [0, 0.5], seed: 1 }]);
    await expectRefused('uniform and step', () => [logits(), { ...good(), uniform: [0, 0.5], step: 1 }]);
    await expectRefused('too many draws for uniform', () => [
      logits(),
      { shape: [2, 3], uniform: [0, 0.5], count: 2 },
    ]);
  });
});

test('sample says what is wrong, and where', () => {
  const x = new Float32Array(6);
  const cases: [object, 'TypeError' | 'RangeError', object][] = [
    [
      { topP: [1, 1.5] },
      'RangeError',
      { code: 'ERR_OPTION', row: 1, message: 'sample: topP[1] = 1.5 is outside (0, 1]' },
    ],
    [{ topP: 0 }, 'RangeError', { argument: 'topP', message: 'sample: topP 0 is outside (0, 1]' }],
    [{ topK: 1.5 }, 'TypeError', { code: 'ERR_K', message: 'sample: topK 1.5 is not an integer' }],
    [{ topK: -1 }, 'RangeError', { code: 'ERR_K', message: 'sample: topK -1 is negative; 0 turns it off' }],
    [{ top: 4 }, 'RangeError', { code: 'ERR_K', message: 'sample: top 4 is more than the 3 classes' }],
    [
      { temperature: [1, -1] },
      'RangeError',
      { code: 'ERR_TEMPERATURE', row: 1, message: 'sample: temperature[1] = -1 is not at least 0' },
    ],
    [
      { penalties: { tokens: [0, 3] } },
      'RangeError',
      { code: 'ERR_TARGET_RANGE', index: 1, message: 'sample: penalties.tokens[1] = 3 is outside [0, 3)' },
    ],
    [
      { seed: 2 ** 53 },
      'RangeError',
      { argument: 'seed', message: 'sample: seed 9007199254740992 is beyond 2^53; give a bigint' },
    ],
    [
      { top_k: 5 },
      'TypeError',
      { code: 'ERR_OPTION', message: 'sample: top_k is not an option; did you mean topK?' },
    ],
  ];
  for (const [given, type, wanted] of cases)
    expectError(type, { fn: 'sample', ...wanted }, () => sample(x, any({ shape: [2, 3], ...given })));
});
