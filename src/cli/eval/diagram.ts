// The reliability diagram as SVG: for each bin its accuracy, the gap to its mean confidence, and how many rows it has; a panel
// for each temperature. Legible on light and on dark pages; its description has all numbers, for screen readers.

import { shownName } from '../failures.js';
import type { BinFigures } from './bins.js';
import type { Figures } from './tally.js';

const panelWidth = 450;
const [left, top, size] = [60, 84, 370];
const countsTop = top + size + 68;
const countsHeight = 60;
const bottom = countsTop + countsHeight;
const height = bottom + 46;
/** Wider bins have room for their counts. */
const narrowest = 15;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const rounded = (value: number): number => Math.round(value * 10) / 10;
const shown = (value: number): string => String(Number(value.toPrecision(4)));

/** 999, 1.2k, 35k, 1.2M. */
function shownCount(count: number): string {
  const [unit, name] = count < 999.5 ? [1, ''] : count < 999.5e3 ? [1e3, 'k'] : [1e6, 'M'];
  const value = count / unit;
  return `${unit > 1 && value < 9.95 ? value.toFixed(1) : value.toFixed(0)}${name}`;
}

const text = (x: number, y: number, content: string, attributes = ''): string =>
  `<text x="${rounded(x)}" y="${rounded(y)}"${attributes && ` ${attributes}`}>${escaped(content)}</text>`;

const box = (x: number, y: number, width: number, boxHeight: number, name: string): string =>
  `<path d="M${rounded(x)} ${rounded(y)}h${rounded(width)}v${rounded(boxHeight)}h${-rounded(width)}z" class="${name}"/>`;

/** A bin that has rows. */
type Full = BinFigures & { readonly accuracy: number; readonly confidence: number };
const isFull = (bin: BinFigures): bin is Full => bin.accuracy !== null && bin.confidence !== null;

const told = ({ from, to, count, accuracy, confidence }: Full): string =>
  `confidence ${shown(from)} to ${shown(to)}: ${count} ${count === 1 ? 'row' : 'rows'}, accuracy ${shown(accuracy)}, ` +
  `mean confidence ${shown(confidence)}, gap ${shown(accuracy - confidence)}`;

function summaryOf({ rows, accuracy, bins, ece, mce }: Figures): string {
  const confidence = bins.filter(isFull).reduce((sum, bin) => sum + (bin.confidence * bin.count) / rows, 0);
  return `accuracy ${shown(accuracy)}, mean confidence ${shown(confidence)}, ECE ${shown(ece)}, MCE ${shown(mce)}`;
}

function binOf(bin: Full, x: number, mostRows: number): string {
  const width = size * (bin.to - bin.from);
  const [begin, inner] = [x + left + size * bin.from, Math.max(0.5, width - 1)];
  const at = (share: number) => top + size * (1 - share);
  const [lower, upper] = [Math.min(bin.accuracy, bin.confidence), Math.max(bin.accuracy, bin.confidence)];
  const length = (countsHeight * bin.count) / mostRows;
  return [
    `<g><title>${escaped(told(bin))}</title>`,
    box(begin, at(bin.accuracy), inner, size * bin.accuracy, 'accuracy'),
    box(begin, at(upper), inner, size * (upper - lower), 'gap'),
    box(begin, bottom - length, inner, length, 'count'),
    width >= narrowest
      ? text(
          begin + width / 2,
          bottom - length - 4,
          shownCount(bin.count),
          'class="small" text-anchor="middle"',
        )
      : '',
    '</g>',
  ].join('');
}

function axes(x: number): string {
  const [begin, end] = [x + left, x + left + size];
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map((tick) => {
    const [across, up] = [begin + size * tick, top + size * (1 - tick)];
    return [
      `<path d="M${rounded(begin)} ${rounded(up)}H${rounded(end)}M${rounded(across)} ${top}V${top + size}" class="grid"/>`,
      text(across, top + size + 16, String(tick), 'class="small" text-anchor="middle"'),
      text(begin - 6, up + 4, String(tick), 'class="small" text-anchor="end"'),
    ].join('');
  });
  return [
    ...ticks,
    text(begin + size / 2, top + size + 34, 'confidence', 'text-anchor="middle"'),
    text(
      0,
      0,
      'accuracy',
      `text-anchor="middle" transform="translate(${x + 18} ${top + size / 2}) rotate(-90)"`,
    ),
    text(
      0,
      0,
      'rows',
      `text-anchor="middle" transform="translate(${x + 18} ${bottom - countsHeight / 2}) rotate(-90)"`,
    ),
    `<path d="M${begin} ${bottom}H${end}" class="axis"/>`,
  ].join('\n');
}

function legend(x: number): string {
  const y = bottom + 30;
  return [
    box(x + left, y - 9, 14, 10, 'accuracy'),
    text(x + left + 20, y, 'accuracy'),
    box(x + left + 90, y - 9, 14, 10, 'gap'),
    text(x + left + 110, y, 'gap to mean confidence'),
    `<path d="M${x + left + 270} ${y - 4}h22" class="ideal"/>`,
    text(x + left + 298, y, 'no gap'),
  ].join('');
}

function panelOf(figures: Figures, x: number): string {
  const mostRows = Math.max(...figures.bins.map(({ count }) => count));
  return [
    text(x + left, 52, `temperature ${shown(figures.temperature)}`, 'class="head"'),
    text(x + left, 70, summaryOf(figures), 'class="small"'),
    axes(x),
    ...figures.bins.filter(isFull).map((bin) => binOf(bin, x, mostRows)),
    `<path d="M${x + left} ${top + size}L${x + left + size} ${top}" class="ideal"/>`,
    legend(x),
  ].join('\n');
}

function descriptionOf(figures: Figures): string {
  const bins = figures.bins.filter(isFull).map((bin) => `${told(bin)}.`);
  return `At temperature ${shown(figures.temperature)}, over ${figures.rows} rows: ${summaryOf(figures)}.\n${bins.join('\n')}`;
}

/** `name`: of the file. */
export function diagramOf(panels: readonly Figures[], name: string): string {
  const width = panelWidth * panels.length;
  const title = `Reliability diagram of ${shownName(name)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">
<title id="title">${escaped(title)}</title>
<desc id="description">${escaped(panels.map(descriptionOf).join('\n'))}</desc>
<style>
svg { background: #fff }
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.head { font-weight: 600 }
.small { font-size: 10px }
.accuracy { fill: #1f6feb }
.gap { fill: #c9661a; fill-opacity: .45; stroke: #c9661a; stroke-dasharray: 3 2 }
.count { fill: #808080 }
.grid { stroke: #d1d9e0; fill: none }
.axis { stroke: #808080 }
.ideal { stroke: #1f2328; stroke-dasharray: 6 4; fill: none }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117 }
text { fill: #f0f6fc }
.grid { stroke: #3d444d }
.ideal { stroke: #f0f6fc }
}
</style>
${text(left, 26, title, 'class="title"')}
${panels.map((figures, i) => panelOf(figures, i * panelWidth)).join('\n')}
</svg>
`;
}
