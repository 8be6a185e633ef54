import { BlockField, blockFields } from '../../backends/block-fields.js';
import { formatValue, isArray, rangeError, typeError } from '../../errors.js';
import { named } from '../operation.js';
import { joinInto, scalingsOf } from './nodes.js';
import type { ShardOperation } from './operation.js';
import { joinsOf, newState, nodesAt, type Range, RowField, readState, rowAt, type State } from './state.js';

const fail = (index: number, problem: string) =>
  rangeError('ERR_STATE', `parts[${index}] ${problem}`, { argument: 'parts', index });

const same = (a: number | undefined, b: number | undefined): boolean => a === b;

/** States of the same rows: what differs between them is the classes they have. */
function requireAlike(states: readonly State[]): void {
  const [first] = states as readonly [State];
  for (const [index, state] of states.entries()) {
    if (state.isDouble !== first.isDouble)
      throw fail(index, 'is of another dtype than parts[0]: float64 cannot be mixed with other types');
    if (state.rows !== first.rows)
      throw fail(index, `has ${state.rows} rows, but parts[0] has ${first.rows}`);
    if (state.hasTarget !== first.hasTarget)
      throw fail(index, `has ${state.hasTarget ? 'a' : 'no'} target, other than parts[0]`);
    for (let row = 0; row < state.rows; row++) {
      const at = rowAt(state, row);
      const of = rowAt(first, row);
      const { multiplier, target } = RowField;
      if (!same(state.numbers[at + multiplier], first.numbers[of + multiplier]))
        throw fail(index, `has another temperature or scale than parts[0] in row ${row}`);
      if (!same(state.numbers[at + target], first.numbers[of + target]))
        throw fail(index, `has another target than parts[0] in row ${row}`);
    }
  }
}

/** A node of one of the states. */
interface Source extends Range {
  readonly part: number;
  readonly node: number;
}

function sourcesOf(states: readonly State[]): Source[] {
  const sources = states.flatMap(({ nodes }, part) =>
    nodes.map((node, i): Source => ({ ...node, part, node: i })),
  );
  sources.sort((a, b) => a.begin - b.begin);
  for (let i = 1; i < sources.length; i++) {
    const [before, after] = [sources[i - 1], sources[i]] as [Source, Source];
    if (after.begin < before.end)
      throw fail(after.part, `has classes from ${after.begin} on, which parts[${before.part}] has, too`);
  }
  return sources;
}

/** As topK has it: NaN is above all numbers. */
const isAbove = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b));

/** What a row has beside its nodes. */
function mergeRow(to: State, row: number, states: readonly State[]): void {
  const { numbers } = to;
  const at = rowAt(to, row);
  const { multiplier, argMax, target, targetLogit } = RowField;
  const first = states[0] as State;
  numbers[at + multiplier] = first.numbers[rowAt(first, row) + multiplier] as number;
  numbers[at + target] = first.numbers[rowAt(first, row) + target] as number;
  numbers[at + targetLogit] = Number.NaN;
  let [best, found] = [Number.NEGATIVE_INFINITY, -1];
  for (const state of states) {
    const from = rowAt(state, row);
    const here = state.numbers[from + argMax] as number;
    const logit = state.numbers[from + targetLogit] as number;
    if (!Number.isNaN(logit)) numbers[at + targetLogit] = logit;
    if (here < 0) continue;
    const top = topOf(state, row);
    const isLevel = top === best || (Number.isNaN(top) && Number.isNaN(best));
    if (found < 0 || isAbove(top, best) || (isLevel && here < found)) [best, found] = [top, here];
  }
  numbers[at + argMax] = found;
}

/** The largest logit of a row, or NaN if it has one. */
function topOf(state: State, row: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0, at = nodesAt(state, row); i < state.nodes.length; i++, at += blockFields) {
    if (Number.isNaN(state.numbers[at + BlockField.sum])) return Number.NaN;
    top = Math.max(top, state.numbers[at + BlockField.top] as number);
  }
  return top;
}

export function mergeStates(states: readonly State[]): State {
  requireAlike(states);
  const sources = sourcesOf(states);
  const joins = joinsOf(sources);
  const first = states[0] as State;
  const merged = newState({ ...first, nodes: joins.nodes });
  const scalings = scalingsOf(merged);
  const from = (i: number) => (states[(sources[i] as Source).part] as State).numbers;
  for (let row = 0; row < first.rows; row++) {
    mergeRow(merged, row, states);
    const source = (i: number) => {
      const { part, node } = sources[i] as Source;
      return nodesAt(states[part] as State, row) + node * blockFields;
    };
    joinInto(merged, row, joins, scalings(row), from, source);
  }
  return merged;
}

/** The states that a caller gives, at least one. */
export function readStates(parts: unknown): State[] {
  if (!isArray(parts)) {
    const message = `parts must be an array of states, got ${formatValue(parts)}`;
    throw typeError('ERR_STATE', message, { argument: 'parts', value: parts });
  }
  const states = Array.from(parts as readonly unknown[], (part, i) => readState(`parts[${i}]`, part));
  if (states.length > 0) return states;
  throw rangeError('ERR_STATE', 'parts has no states', { argument: 'parts', value: 0 });
}

export const mergePartials: ShardOperation = {
  name: 'mergePartials',
  length: 1,
  options: undefined,
  bind: () => ({
    call: named('mergePartials', (parts) => mergeStates(readStates(parts)).numbers),
  }),
};
