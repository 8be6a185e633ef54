// docs/numerics.md as a whole: the template, the numbers of checks/accuracy and those of checks/exhaustive.

import { readFileSync, writeFileSync } from 'node:fs';
import type { Published } from '../exhaustive/figures.js';
import { everyInputParts } from '../exhaustive/report.js';
import { type Measured, render } from './report.js';

const page = new URL('../../docs/numerics.md', import.meta.url);
const numbers = new URL('measured.json', import.meta.url);
const read = (file: URL) => readFileSync(file, 'utf8');

export const readMeasured = (): Measured => JSON.parse(read(numbers));

function pageOf(measured: Measured): string {
  const everyInput: Published = JSON.parse(read(new URL('../exhaustive/measured.json', import.meta.url)));
  return render(
    read(new URL('numerics.template.md', import.meta.url)),
    measured,
    everyInputParts(everyInput.full),
  );
}

export const isPage = (measured: Measured): boolean => pageOf(measured) === read(page);

/** With new numbers of checks/accuracy, or those there are. */
export function writePage(measured?: Measured): void {
  if (measured) writeFileSync(numbers, `${JSON.stringify(measured, undefined, 2)}\n`);
  writeFileSync(page, pageOf(measured ?? readMeasured()));
}
