// What this library means to reach, and whether it does: all on one thread, by public calls with `out`.

import { type Case, type DType, type Operation, parseShape, shapeName, titles } from '../cases.js';
import type { Result } from '../run.js';
import { missing, shownRatio, shownTime } from '../table.js';
import { avx2, javascript, memcpy, onnxRuntime, own, plainLoop, torch, tuned } from './contestants.js';

/** One measured call. */
interface Measure {
  readonly operation: Operation;
  readonly dtype: DType;
  readonly shape: string;
  readonly who: string;
}

/** The time of `measure`, compared with `other`'s or with a number of nanoseconds. */
interface Target {
  readonly what: string;
  readonly measure: Measure;
  readonly other: Measure | undefined;
  /** `faster`: other's time is at least `bound` times as long; `within`: at most `bound` times other's, or nanoseconds. */
  readonly kind: 'faster' | 'within';
  readonly bound: number;
}

export interface Verdict {
  readonly what: string;
  readonly target: string;
  /** This library's time, and the ratio to and time of what it is compared with. */
  readonly time: string;
  readonly compared: string;
  /** The same of a peer that is tuned. */
  readonly comparedTuned: string;
  readonly verdict: 'met' | 'not met' | 'not measured';
}

const large = ['64×1000', '1×32000', '1×128256', '1024×1024', '1536×128', '32×128256'];
const tiny = ['1×1', '1×2', '1×4', '1×8', '1×10', '1×16'];
const inCache = ['64×1000', '1536×128'];

const call = (operation: Operation, shape: string, who = own, dtype: DType = 'float32'): Measure => ({
  operation,
  dtype,
  shape,
  who,
});

/** At least `bound` times as fast as `peer` in the same case. */
function faster(
  operation: Operation,
  peer: string,
  bound: number,
  on: readonly string[],
  who = own,
): Target[] {
  return on.map((shape) => {
    const what = `${titles[operation]} ${shape}${who === own ? '' : `, ${who}`}`;
    const [measure, other] = [call(operation, shape, who), call(operation, shape, peer)];
    return { what, measure, other, kind: 'faster', bound };
  });
}

/** At most `bound` times as long as something else. */
const within = (what: string, measure: Measure, other: Measure | undefined, bound: number): Target => ({
  what,
  measure,
  other,
  kind: 'within',
  bound,
});

const targets: readonly Target[] = [
  ...faster('softmax', onnxRuntime, 8, ['64×1000', '1×32000']),
  ...faster('softmax', torch, 4, ['64×1000', '1×32000']),
  ...faster('softmax', onnxRuntime, 6, ['1×128256']),
  ...faster('softmax', torch, 4, ['1×128256', '1024×1024']),
  ...faster('softmax', onnxRuntime, 10, ['4096×10']),
  ...faster('softmax', torch, 10, ['4096×10']),
  ...faster('softmax', onnxRuntime, 5, ['1536×128']),
  ...faster('softmax', torch, 4, ['1536×128']),
  within('softmax 32×128256', call('softmax', '32×128256'), call('softmax', '32×128256', memcpy), 1.25),
  ...faster('softmax', torch, 2.3, ['32×128256']),
  within(
    'softmax 1024×1024 along the first axis',
    call('softmax', '1024×1024 axis 0'),
    call('softmax', '1024×1024'),
    1.5,
  ),
  ...faster('softmaxBackward', torch, 1, [...large, '1024×1024 axis 0']),
  ...faster('softmaxBackward', torch, 3, ['4096×10']),
  ...large.map((shape) =>
    within(`${titles.crossEntropy} ${shape}`, call('crossEntropy', shape), call('softmax', shape), 1.3),
  ),
  ...faster('crossEntropy', torch, 5, [...large, '4096×10']),
  ...(['float64', 'float16', 'bfloat16'] as const).flatMap((dtype) =>
    inCache.map((shape) =>
      within(
        `softmax ${shape}, ${dtype}`,
        call('softmax', shape, own, dtype),
        call('softmax', shape),
        dtype === 'float64' ? 2.6 : 1.3,
      ),
    ),
  ),
  ...faster('softmax', plainLoop, 1, tiny),
  within('softmax 1×1', call('softmax', '1×1'), undefined, 150),
  ...faster('softmax', plainLoop, 1, ['1×64', '64×1000', '1×32000', '1536×128', '1024×1024'], javascript),
  ...faster('softmax', onnxRuntime, 4, ['64×1000'], avx2),
];

export const targetCases: readonly Case[] = [
  ...new Map(
    targets
      .flatMap(({ measure, other }) => (other ? [measure, other] : [measure]))
      .map(({ operation, dtype, shape }) => [
        `${operation} ${dtype} ${shape}`,
        { operation, dtype, shape: parseShape(shape) },
      ]),
  ).values(),
];

function timeOf(results: readonly Result[], { operation, dtype, shape, who }: Measure): number | undefined {
  const found = results.find(
    (result) => result.operation === operation && result.dtype === dtype && shapeName(result.shape) === shape,
  );
  return found?.nanoseconds[who]?.median;
}

function targetText({ measure, other, kind, bound }: Target): string {
  if (!other) return `≤ ${shownTime(bound)}`;
  const dtype = other.dtype === measure.dtype ? '' : `, ${other.dtype}`;
  const name = other.who === measure.who ? `${other.operation} ${other.shape}${dtype}` : other.who;
  return kind === 'faster' ? `≥ ${bound}× as fast as ${name}` : `≤ ${bound}× the time of ${name}`;
}

/** Of a peer the faster way counts: as it comes, or tuned. */
function verdictOf(results: readonly Result[], target: Target): Verdict {
  const { what, measure, other, kind, bound } = target;
  const time = timeOf(results, measure);
  const ratioTo = (otherTime: number | undefined) => {
    if (time === undefined || otherTime === undefined) return undefined;
    return kind === 'faster' ? otherTime / time : time / otherTime;
  };
  const others = other && [timeOf(results, other), timeOf(results, { ...other, who: tuned(other.who) })];
  const ratios = (others ?? [1, undefined]).map(ratioTo);
  const shown = (ratio: number | undefined, i: number) =>
    ratio === undefined || !others ? missing : `${shownRatio(ratio)} (${shownTime(others[i])})`;
  const [compared = missing, comparedTuned = missing] = ratios.map(shown);
  const known = ratios.filter((ratio) => ratio !== undefined);
  const isMet = (ratio: number) => (kind === 'faster' ? ratio >= bound : ratio <= bound);
  const verdict = known.length === 0 ? 'not measured' : known.every(isMet) ? 'met' : 'not met';
  return { what, target: targetText(target), time: shownTime(time), compared, comparedTuned, verdict };
}

export const verdictsOf = (results: readonly Result[]): readonly Verdict[] =>
  targets.map((target) => verdictOf(results, target));

/** The first line is the header. */
export function verdictRows(verdicts: readonly Verdict[]): string[][] {
  return [
    ['case', 'target', own, 'compared', 'tuned', 'verdict'],
    ...verdicts.map(({ what, target, time, compared, comparedTuned, verdict }) => [
      what,
      target,
      time,
      compared,
      comparedTuned,
      verdict,
    ]),
  ];
}
