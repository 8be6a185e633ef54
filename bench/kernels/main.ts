// Runs the kernels' microbenchmark (native/bench/kernels_bench.cc) and writes docs/kernels.md: what each kernel has to do,
// and how far from that it is.
//
//   npm run bench kernels     builds with CMake; some two minutes

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { machine } from '../machine.js';
import { markdownTable, missing } from '../table.js';
import { bound, lanes, operations } from './limits.js';

interface Timing {
  readonly elements: number;
  readonly cycles: number;
  readonly best: number;
}

const timings = new Map<string, Timing>();
const key = (...parts: readonly string[]) => parts.join(' ');
const programOf = (name: string) =>
  process.platform === 'win32' ? `build-cmake/Release/${name}.exe` : `build-cmake/${name}`;

function run(): void {
  const program = programOf('kernels_bench');
  const output = execFileSync(program, ['--csv'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  for (const line of output.trim().split('\n')) {
    const [name = '', elements, cycle, , best] = line.split(',');
    const nanoseconds = Number(best);
    timings.set(key(...name.split(/\s+/)), {
      elements: Number(elements),
      cycles: nanoseconds / Number(cycle) / Number(elements),
      best: nanoseconds,
    });
  }
}

const isas = () =>
  [...new Set([...timings.keys()].map((name) => name.split(' ')[0] as string))].filter((isa) => isa !== '-');
const shapeName = (shape: string) => {
  const [outer, length, inner] = shape.split('x');
  return inner === '1' ? `${outer}×${length}` : `${outer}×${length}×${inner} along the middle`;
};
const shown = (value: number | undefined) => (value === undefined ? missing : value.toFixed(2));

/** Cycles per element in the first cache, the bound, and their ratio. */
function limitTable(): string {
  const rows = Object.entries(operations).flatMap(([name, counts]) =>
    isas()
      .filter((isa) => lanes[isa] !== undefined)
      .map((isa) => {
        const limit = bound(counts) / (lanes[isa] as number);
        const { multiply, add, other, load, store } = counts;
        const measured = ['64x1000x1', '1x32000x1'].map(
          (shape) => timings.get(key(isa, name, 'float32', shape))?.cycles,
        );
        const ratio = measured[0] === undefined ? undefined : measured[0] / limit;
        const cells = [multiply, add, other, load, store].map(String);
        return [name, isa, ...cells, shown(limit), ...measured.map(shown), `${shown(ratio)}×`];
      }),
  );
  const head = ['kernel', 'ISA', 'multiply, fma', 'add, convert', 'other', 'load', 'store'];
  return markdownTable([[...head, 'bound', '64×1000', '1×32000', '64×1000 : bound'], ...rows]);
}

const names = Object.keys(operations);

const cyclesOf = (isa: string, dtype: string, shape: string): string[] => [
  ...names.map((name) => shown(timings.get(key(isa, name, dtype, shape))?.cycles)),
  shown(timings.get(key('-', 'memcpy', dtype, shape))?.cycles),
];

/** float32: cycles per element of every kernel at every shape. */
function cycleTable(isa: string): string {
  const shapeList = [...timings.keys()].flatMap((name) => {
    const [i, kernel, dtype, shape] = name.split(' ');
    return i === isa && kernel === 'softmax' && dtype === 'float32' ? [shape as string] : [];
  });
  const rows = shapeList.map((shape) => [shapeName(shape), ...cyclesOf(isa, 'float32', shape)]);
  return `### ${isa}, float32\n\n${markdownTable([['shape', ...names, 'memcpy'], ...rows])}`;
}

/** The other types where memory is no limit. */
function otherTable(): string {
  const rows = isas().flatMap((isa) =>
    ['float64', 'float16', 'bfloat16'].map((dtype) => [
      `${isa}, ${dtype}`,
      ...cyclesOf(isa, dtype, '64x1000x1'),
    ]),
  );
  return markdownTable([['ISA, type', ...names, 'memcpy'], ...rows]);
}

/** softmax beside other libraries' kernels: µs, and the worst error in ULP. */
function peersTable(): string {
  // The libraries may be newer than the build.
  execFileSync('cmake', ['build-cmake'], { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('cmake', ['--build', 'build-cmake', '--target', 'peers_bench', '--config', 'Release'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const output = execFileSync(programOf('peers_bench'), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const times = new Map<string, number>();
  const cells = new Map<string, string>();
  for (const line of output.trim().split('\n')) {
    const [contestant = '', shape = '', nanoseconds, error] = line.split(',');
    const time = Number(nanoseconds) / 1000;
    times.set(key(contestant, shape), time);
    cells.set(key(contestant, shape), `${time.toFixed(1)}${error === '0.00' ? '' : ` (${error})`}`);
  }
  const shapes = [...times.keys()].flatMap((name) => name.match(/^memcpy (.*)/)?.[1] ?? []);
  const contestants = ['softmax-native', 'oneDNN', 'XNNPACK', 'memcpy'];
  const rows = shapes.map((shape) => {
    const ratioTo = (peer: string) =>
      (times.get(key(peer, shape)) ?? Number.NaN) / (times.get(key('softmax-native', shape)) as number);
    const shownOf = (contestant: string) => cells.get(key(contestant, shape)) ?? missing;
    return [
      shapeName(`${shape}x1`),
      ...contestants.map(shownOf),
      `${ratioTo('oneDNN').toFixed(2)}×`,
      `${ratioTo('XNNPACK').toFixed(2)}×`,
    ];
  });
  return markdownTable([['shape', ...contestants, 'oneDNN : ours', 'XNNPACK : ours'], ...rows]);
}

run();
const cycle = timings.get(key('-', 'memcpy', 'float32', '64x1000x1'));
const gigahertz = cycle ? (cycle.cycles * cycle.elements) / cycle.best : Number.NaN;
const replacements: Record<string, string> = {
  machine: `${machine.cpu}, ${machine.arch}, ${gigahertz.toFixed(2)} GHz measured, on ${machine.date.slice(0, 10)}`,
  peers: peersTable(),
  limits: limitTable(),
  cycles: isas().map(cycleTable).join('\n\n'),
  others: otherTable(),
};
const template = readFileSync(new URL('kernels.template.md', import.meta.url), 'utf8');
const page = template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => replacements[name] ?? missing);
writeFileSync(new URL('../../docs/kernels.md', import.meta.url), page);
console.log('written to docs/kernels.md');
