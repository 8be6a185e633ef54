import { ElementMemory } from '../../backends/element-memory.js';
import type { Step } from '../../backends/jobs.js';
import { rangeOf } from '../../backends/js/rows.js';
import type { Elements, Kernels, RowRange } from '../../backends/kernels.js';
import { type Call, computeCall, costOf, type Memory, type Work } from '../../problem/call.js';
import { requireFamily } from '../../problem/dtypes.js';
import { isEmpty, isImproper, nothingOf, withoutRows } from '../../problem/empty-rows.js';
import { knownOptions } from '../../problem/option-names.js';
import { copyOptions, type GivenOptions, optionsOf } from '../../problem/options.js';
import {
  type Destination,
  givenDestination,
  newDestination,
  readOutput,
  resultOf,
} from '../../problem/outputs.js';
import { newLosses } from '../../problem/reduction.js';
import {
  type RowOptions,
  type RowProblem,
  readRowOptions,
  rowProblem,
  shapeWithoutAxis,
} from '../../problem/rows.js';
import { type Input, readOperand } from '../../problem/tensors.js';
import { named, type Operation } from '../operation.js';
import { rowOptionNames } from '../row-operation.js';

/** A call whose every argument has been checked. */
interface KlCall {
  readonly p: Input;
  readonly q: Input;
  readonly rows: RowProblem;
  readonly output: Destination;
}

const known = knownOptions('klDivergence', rowOptionNames);

/** Rows of which p has nothing weigh nothing; a NaN or +Infinity of q shows all the same. */
function withoutEmpty(rows: RowProblem, p: Input, q: Input, { zeroesEmpty }: RowOptions): RowProblem {
  if (!zeroesEmpty) return rows;
  const nothing = nothingOf(rows.multiplier);
  const [ofP, ofQ] = [new ElementMemory(p.operand), new ElementMemory(q.operand)];
  return withoutRows(
    rows,
    (row) => isEmpty(rows, ofP, row, nothing) && !isImproper(rows, ofQ, row, -nothing),
  );
}

/** Reads everything, then checks everything. */
function read(first: unknown, second: unknown, given: GivenOptions): KlCall {
  const options = readRowOptions(given);
  const { dtype } = options;
  const p: Input = { argument: 'p', operand: readOperand('p', first, dtype) };
  const q: Input = { argument: 'q', operand: readOperand('q', second, dtype) };
  const out = given.out === undefined ? undefined : readOutput('out', given.out, p.operand, dtype);
  requireFamily('p', p.operand.dtype, 'q', q.operand.dtype);
  const rows = withoutEmpty(rowProblem('q', q.operand, options, false, p), p, q, options);
  const shape = shapeWithoutAxis(rows);
  const output =
    out === undefined
      ? newDestination('out', 'p', p.operand, dtype, rows.rowCount, shape)
      : givenDestination(out, {
          inputs: [p, q],
          mayReplace: false,
          others: [],
          options,
          elements: rows.rowCount,
          shape,
          owner: 'the result',
        });
  return { p, q, rows, output };
}

function workOf({ p, q, output }: KlCall, kernels: Kernels, memory: Memory, rows: RowProblem): Work {
  const [teacher, student] = [memory.input(p.operand), memory.input(q.operand)];
  const out = memory.output(output);
  const divergence = newLosses(rows.rowCount);
  const problem = { student, teacher, divergence, grad: undefined, addend: undefined, gradLoss: 1 };
  const steps: Step[] = [
    { rows, run: (some) => kernels.divergence(problem, some) },
    { rows, run: (some) => write(divergence, out, rangeOf(some)) },
  ];
  return { steps: rows.rowCount > 0 ? steps : [], result: () => resultOf(output, out) };
}

/** The kernel's results are float64. */
function write(divergence: Float64Array, out: Elements, { begin, end }: RowRange): void {
  const memory = new ElementMemory(out);
  for (let row = begin; row < end; row++) memory.set(row, divergence[row] as number);
}

export const klDivergence: Operation = {
  name: 'klDivergence',
  inputs: ['p', 'q'],
  target: 'none',
  options: rowOptionNames,
  result: 'row',
  mayReplace: false,
  hasLimits: false,
  bind(kernels) {
    const planOf = (call: KlCall): Call => ({
      inputs: [call.p, call.q],
      replaceable: 0,
      outputs: [call.output],
      rows: call.rows,
      cost: costOf(call.rows, 8),
      work: (memory, own) => workOf(call, kernels, memory, own),
    });
    return {
      call: named('klDivergence', (p, q, options) =>
        computeCall(planOf(read(p, q, copyOptions(optionsOf(options, known.sync))))),
      ),
      plan: ([p, q, options]) => planOf(read(p, q, copyOptions(optionsOf(options, known.async)))),
    };
  },
};
