// Bars of text, as wide as the terminal allows.

import type { Paint, Style } from './output.js';

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** `fraction` of `width` characters, by eighths; nothing above 0 is invisible. */
export function bar(fraction: number, width: number): string {
  const parts = Math.max(fraction > 0 ? 1 : 0, Math.round(fraction * width * 8));
  return '█'.repeat(Math.floor(parts / 8)) + (eighths[parts % 8] as string);
}

/** Three digits and a unit. */
export function shownTime(nanoseconds: number): string {
  if (nanoseconds < 999.5) return `${threeDigits(nanoseconds)} ns`;
  if (nanoseconds < 999.5e3) return `${threeDigits(nanoseconds / 1e3)} µs`;
  return `${threeDigits(nanoseconds / 1e6)} ms`;
}

export function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value.toFixed(value < 9.995 ? 2 : 1);
}

export interface Line {
  readonly name: string;
  readonly nanoseconds: number;
  readonly style: Style;
  readonly note: string;
}

const longestBar = 60;
/** Names, times and notes beside the bars. */
const besides = 40;

export function chart(lines: readonly Line[], terminalWidth: number, paint: Paint): string {
  const longest = Math.max(...lines.map(({ nanoseconds }) => nanoseconds));
  const width = Math.max(10, Math.min(longestBar, terminalWidth - besides));
  return lines
    .map(({ name, nanoseconds, style, note }) => {
      const drawn = paint(style, bar(nanoseconds / longest, width));
      return `  ${name.padEnd(11)} ${shownTime(nanoseconds).padStart(8)}  ${drawn}${note && `  ${note}`}`;
    })
    .join('\n');
}
