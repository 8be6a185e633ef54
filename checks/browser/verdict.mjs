// What a page found, held against what it should have.

/** In words; none if all is well. */
export function problemsOf(found, expected, pinned) {
  const { kind, isa, reason, after, isIsolated, hashes, wrong } = found;
  const problems = wrong.map((name) => `not as the synchronous function: ${name}`);
  if (kind !== expected.kind || isa !== expected.isa)
    problems.push(`${kind}, ${isa} serves, expected ${expected.kind}, ${expected.isa}: ${reason}`);
  if (!reason.startsWith(expected.reason)) problems.push(`the reason is ${reason}`);
  if (after.kind !== expected.kind || !after.reason.startsWith(expected.reason))
    problems.push(`after init(): ${after.kind}, ${after.reason}`);
  if (isIsolated !== false) problems.push('it is isolated from other origins');
  const names = Object.keys(pinned);
  if (names.join() !== Object.keys(hashes).join()) problems.push('the corpus is another one');
  const other = names.filter((name) => hashes[name] !== pinned[name]);
  if (other.length > 0) problems.push(`other bits: ${other.join(', ')}`);
  return problems;
}

const number = (microseconds) => microseconds.toPrecision(3).replace(/e\+\d+$/, (power) => power);

/** Microseconds of a call, which nothing is expected of. */
export function tableOf(race) {
  const row = (cells) =>
    `${cells[0].padEnd(22)}${cells
      .slice(1)
      .map((cell) => cell.padStart(14))
      .join('')}`;
  return [
    row(['µs, least and median', 'wasm', '', 'js', '', 'js / wasm']),
    ...race.map(({ name, wasm, js }) =>
      row([
        name,
        ...[wasm.least, wasm.median, js.least, js.median].map(number),
        (js.median / wasm.median).toFixed(1),
      ]),
    ),
  ].join('\n');
}
