import { BlockField, blockFields } from '../../backends/block-fields.js';
import { isAbove } from '../../backends/js/tokens/selection.js';
import { rangeError } from '../../errors.js';
import { named } from '../operation.js';
import { joinInto } from './nodes.js';
import type { ShardOperation } from './operation.js';
import {
  joinsOf,
  newState,
  nodesAt,
  type Range,
  RowField,
  readParts,
  readState,
  rowAt,
  type State,
} from './state.js';

const fail = (index: number, problem: string) =>
  rangeError('ERR_STATE', `parts[${index}] ${problem}`, { argument: 'parts', index });

/** States of the same rows: what differs between them is the classes they have. */
function requireAlike(states: readonly State[]): void {
  const first = states[0] as State;
  for (const [index, state] of states.entries()) {
    if (state.isDouble !== first.isDouble)
      throw fail(index, 'is of another dtype than parts[0]: float64 cannot be mixed with other types');
    if (state.rows !== first.rows)
      throw fail(index, `has ${state.rows} rows, but parts[0] has ${first.rows}`);
    if (state.classes > 0 && first.classes > 0 && state.classes !== first.classes)
      throw fail(index, `is of ${state.classes} classes, but parts[0] of ${first.classes}`);
    if (state.hasTarget !== first.hasTarget)
      throw fail(index, `has ${state.hasTarget ? 'a' : 'no'} target, other than parts[0]`);
  }
}

/** A node of one of the states. */
interface PartNode extends Range {
  readonly part: number;
  readonly node: number;
}

/** In the order of their classes, each there once. */
function partNodesOf(states: readonly State[]): PartNode[] {
  const found: PartNode[] = [];
  let isSorted = true;
  for (let part = 0; part < states.length; part++) {
    const { nodes } = states[part] as State;
    for (let node = 0; node < nodes.length; node++) {
      const { begin, end } = nodes[node] as Range;
      const last = found.at(-1);
      isSorted &&= last === undefined || last.begin <= begin;
      found.push({ begin, end, part, node });
    }
  }
  if (!isSorted) found.sort((a, b) => a.begin - b.begin);
  for (let i = 1; i < found.length; i++) {
    const [before, after] = [found[i - 1] as PartNode, found[i] as PartNode];
    if (after.begin < before.end)
      throw fail(after.part, `has classes from ${after.begin} on, which parts[${before.part}] has, too`);
  }
  return found;
}

/** The largest logit of a row, or NaN if it has one. */
function topOf({ numbers, nodes }: State, at: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0, node = at; i < nodes.length; i++, node += blockFields) {
    if (Number.isNaN(numbers[node + BlockField.sum])) return Number.NaN;
    const own = numbers[node + BlockField.top] as number;
    if (own > top) top = own;
  }
  return top;
}

/** What a row has beside its nodes: alike in all states, but for its largest logit and its target's. */
function mergeRow(to: State, row: number, states: readonly State[]): void {
  const first = states[0] as State;
  const ofFirst = rowAt(first, row);
  const multiplier = first.numbers[ofFirst + RowField.multiplier] as number;
  const target = first.numbers[ofFirst + RowField.target] as number;
  let [best, found, targetLogit] = [Number.NEGATIVE_INFINITY, -1, Number.NaN];
  for (let part = 0; part < states.length; part++) {
    const state = states[part] as State;
    const { numbers } = state;
    const from = rowAt(state, row);
    // 0 and −0, at infinite temperature, are of different scales.
    if (!Object.is(numbers[from + RowField.multiplier], multiplier))
      throw fail(part, `has another temperature or scale than parts[0] in row ${row}`);
    if (numbers[from + RowField.target] !== target)
      throw fail(part, `has another target than parts[0] in row ${row}`);
    const logit = numbers[from + RowField.targetLogit] as number;
    if (!Number.isNaN(logit)) targetLogit = logit;
    const here = numbers[from + RowField.argMax] as number;
    if (here < 0) continue;
    const top = topOf(state, nodesAt(state, row));
    const isLevel = top === best || (Number.isNaN(top) && Number.isNaN(best));
    if (found >= 0 && !isAbove(top, best) && !(isLevel && here < found)) continue;
    best = top;
    found = here;
  }
  const at = rowAt(to, row);
  to.numbers[at + RowField.multiplier] = multiplier;
  to.numbers[at + RowField.argMax] = found;
  to.numbers[at + RowField.target] = target;
  to.numbers[at + RowField.targetLogit] = targetLogit;
}

function mergeStates(states: readonly State[]): State {
  requireAlike(states);
  const found = partNodesOf(states);
  const joins = joinsOf(found);
  const first = states[0] as State;
  const classes = states.reduce((most, state) => Math.max(most, state.classes), 0);
  const end = joins.nodes.at(-1)?.end ?? 0;
  if (classes > 0 && end > classes)
    throw rangeError('ERR_STATE', `parts have classes up to ${end}, but are of ${classes}`, {
      argument: 'parts',
      value: end,
    });
  const { isDouble, rows, hasTarget } = first;
  const merged = newState({ isDouble, rows, hasTarget, classes, nodes: joins.nodes });
  for (let row = 0; row < rows; row++) mergeRow(merged, row, states);
  joinInto(
    merged,
    joins,
    found.map(({ part, node }) => {
      const state = states[part] as State;
      return { numbers: state.numbers, begin: nodesAt(state, 0) + node * blockFields, stride: state.stride };
    }),
  );
  return merged;
}

/** The states that a caller gives, at least one. */
function readStates(parts: unknown): State[] {
  const states = readParts(parts, 'an array of states', readState);
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
