// How far a run is: one line that changes on a terminal, a line every few seconds elsewhere.

const interval = 5000;
const start = performance.now();
let last = 0;

function show(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else if (performance.now() - last > interval) {
    last = performance.now();
    console.error(`exhaustive: ${text}`);
  }
}

/** The progress of a part, from 0 to 1. */
export function stage(name: string): (share: number) => void {
  const report = (share: number) =>
    show(`${name}: ${Math.round(share * 100)} % (${Math.round((performance.now() - start) / 1000)} s)`);
  report(0);
  return report;
}

export function stop(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}
