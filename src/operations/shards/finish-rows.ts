// softmax and logSoftmax of a shard's logits, from what is known of their whole rows.

import { BlockField } from '../../backends/block-fields.js';
import type { Step } from '../../backends/jobs.js';
import { singleExponential } from '../../backends/js/exp.js';
import { loneSumBound } from '../../backends/js/forward.js';
import type { Scaling } from '../../backends/js/scaling.js';
import {
  scaledExponentialsNumbers,
  scaledExponentialsRows,
  shardLogSoftmaxNumbers,
  shardLogSoftmaxRows,
} from '../../backends/js/shards.js';
import type { ArrayRows, Elements, ScaledRows } from '../../backends/kernels.js';
import { type Call, computeCall, costOf } from '../../problem/call.js';
import { type KnownOptions, knownOptions, type OptionName } from '../../problem/option-names.js';
import { copyOptions, onlyOptions, optionsOf } from '../../problem/options.js';
import { givenDestination, newDestination, readOutput, resultOf } from '../../problem/outputs.js';
import { readRowOptions, rowProblem } from '../../problem/rows.js';
import { type Input, readOperand } from '../../problem/tensors.js';
import { allocateOrThrow } from '../../typed-arrays.js';
import { named } from '../operation.js';
import { scalingsOf, totalOf } from './nodes.js';
import type { ShardOperation } from './operation.js';
import { heldBy, requireRowsOf, rowsOf } from './rows.js';
import { readState, requireWhole, type State } from './state.js';
import { rowSumOf } from './totals.js';

const optionNames: readonly OptionName[] = ['out', 'shape', 'axis', 'dtype', 'mask'];

/** Reads everything, then checks everything. */
function read(x: unknown, givenState: unknown, options: unknown, known: KnownOptions) {
  const given = copyOptions(onlyOptions(optionsOf(options, known), optionNames));
  const rowOptions = readRowOptions(given);
  const { dtype } = rowOptions;
  const operand = readOperand('x', x, dtype);
  const out = given.out === undefined ? undefined : readOutput('out', given.out, operand, dtype);
  const state = readState('state', givenState);
  requireWhole('state', state);
  const plainRows = rowProblem('x', operand, rowOptions, true);
  requireRowsOf(state, operand, plainRows);
  const rows = rowsOf(state, plainRows);
  const input: Input = { argument: 'x', operand };
  const { elements, shape } = rows;
  const output =
    out === undefined
      ? newDestination('out', 'x', operand, dtype, elements, shape)
      : givenDestination(out, {
          inputs: [input],
          mayReplace: true,
          others: [['state', heldBy(state)]],
          options: rowOptions,
          elements,
          shape,
          owner: 'the result',
        });
  return { input, rows, state, output };
}

interface Finish {
  readonly kernel: { readonly name: string; readonly js: ArrayRows };
  /** Of each row. */
  readonly numbers: number;
  /** A row's, from what is known of it, to `known` from `at` on. */
  readonly set: (fields: Float64Array, scaling: Scaling, known: Float64Array, at: number) => void;
}

function knownOf(state: State, { numbers, set }: Finish): Float64Array {
  const known = allocateOrThrow(numbers * state.rows, () => new Float64Array(numbers * state.rows));
  const scalings = scalingsOf(state);
  for (let row = 0; row < state.rows; row++) {
    const scaling = scalings(row);
    set(totalOf(state, row, scaling), scaling, known, row * numbers);
  }
  return known;
}

function finishOperation(name: string, finish: Finish): ShardOperation {
  const options = knownOptions(name, optionNames);
  return {
    name,
    length: 3,
    options: 2,
    bind(kernels) {
      const run = kernels.arrays(finish.kernel);
      const planOf = ({ input, rows, state, output }: ReturnType<typeof read>): Call => ({
        inputs: [input],
        replaceable: 1,
        outputs: [output],
        rows,
        cost: costOf(rows, 1),
        work(memory, own) {
          const x = memory.input(input.operand);
          const out = memory.output(output);
          const known: Elements = { data: knownOf(state, finish), dtype: 'float64' };
          const step: Step = {
            rows: own,
            run: (some: ScaledRows) => run([x, known, out], [finish.numbers, 0], some),
          };
          return { steps: output.elements > 0 ? [step] : [], result: () => resultOf(output, out) };
        },
      });
      return {
        call: named(name, (x, state, given) => computeCall(planOf(read(x, state, given, options.sync)))),
        plan: ([x, state, given]) => planOf(read(x, state, given, options.async)),
      };
    },
  };
}

export const scaledExponentials = { name: 'scaledExponentials', js: scaledExponentialsRows };

export const finishSoftmax = finishOperation('finishSoftmax', {
  kernel: scaledExponentials,
  numbers: scaledExponentialsNumbers,
  set(fields, scaling, known, at) {
    const row = rowSumOf(fields, BlockField.sum, scaling);
    const { sum, top, reference } = row;
    const isLone =
      scaling.isDouble &&
      sum < loneSumBound &&
      sum === singleExponential(top / scaling.sign, scaling, reference);
    known[at] = top;
    known[at + 1] = sum > 0 ? 1 / sum : Number.NaN;
    known[at + 2] = isLone ? 1 : 0;
  },
});

export const finishLogSoftmax = finishOperation('finishLogSoftmax', {
  kernel: { name: 'shardLogSoftmax', js: shardLogSoftmaxRows },
  numbers: shardLogSoftmaxNumbers,
  set(fields, scaling, known, at) {
    const { sum, top } = rowSumOf(fields, BlockField.sum, scaling);
    known[at] = top;
    known[at + 1] = scaling.isDouble && !Number.isNaN(sum) ? (fields[BlockField.wide] as number) : sum;
    known[at + 2] = fields[BlockField.largest] as number;
  },
});
