// A dot plot as SVG: panels of rows, in a row a dot for each series, on one logarithmic axis. Readable on light and
// dark pages.

export interface Series {
  readonly name: string;
  /** What the others are compared with: the line at 1, and no dot. */
  readonly isReference?: boolean;
  /** No contestant: a ring. */
  readonly isYardstick?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly rows: readonly { readonly label: string; readonly values: Readonly<Record<string, number>> }[];
}

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  readonly axis: string;
  readonly series: readonly Series[];
  readonly panels: readonly Panel[];
}

/** Okabe and Ito's: told apart by colour-blind people, on white and on black. The shapes differ, too. */
const colors = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9', '#8c8c8c', '#b8a900'];
const circle = (x: number, y: number) => `M${x - 4.5} ${y}a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z`;
const marks: readonly ((x: number, y: number) => string)[] = [
  circle,
  (x, y) => `M${x - 4} ${y - 4}h8v8h-8z`,
  (x, y) => `M${x} ${y - 5}l5 9h-10z`,
  (x, y) => `M${x} ${y - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z`,
  (x, y) => `M${x} ${y + 5}l5 -9h-10z`,
];

const width = 960;
const columnGap = 24;
const labelWidth = 126;
const rowHeight = 20;
const headHeight = 34;
const footHeight = 44;
const legendTop = 62;
const legendRow = 20;
const margin = 20;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const rounded = (value: number): number => Math.round(value * 10) / 10;

interface Scale {
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** From 0 to `length`, with ticks at 1, 2, 5, 10 …; fewer where they would be too many. */
function scaleOf(values: readonly number[], length: number): Scale {
  const [low, high] = [Math.min(1, ...values) / 1.15, Math.max(1, ...values) * 1.15];
  const span = Math.log(high / low);
  const candidates = (steps: readonly number[]) =>
    Array.from({ length: 14 }, (_, i) => 10 ** (i - 6))
      .flatMap((decade) => steps.map((step) => step * decade))
      .filter((tick) => tick >= low && tick <= high);
  const fine = candidates([1, 2, 5]);
  const ticks = fine.length <= 9 ? fine : candidates([1]);
  return { ticks, at: (value) => (Math.log(value / low) / span) * length };
}

const tickLabel = (tick: number): string => `${Number(tick.toPrecision(1))}×`;

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${rounded(x)}" y="${rounded(y)}" ${attributes}>${escaped(content)}</text>`;
}

interface Style {
  readonly name: string;
  readonly color: string;
  readonly mark: (x: number, y: number) => string;
  readonly className: 'dot' | 'ring';
}

function stylesOf(series: readonly Series[]): readonly Style[] {
  let next = 0;
  return series
    .filter(({ isReference }) => !isReference)
    .map(({ name, isYardstick }) => {
      if (isYardstick) return { name, color: 'none', mark: circle, className: 'ring' };
      const i = next++;
      const color = colors[i % colors.length] as string;
      return { name, color, mark: marks[i % marks.length] as Style['mark'], className: 'dot' };
    });
}

const dot = ({ color, mark, name, className }: Style, x: number, y: number, title = name): string =>
  `<path d="${mark(rounded(x), rounded(y))}" fill="${color}" class="${className}"><title>${escaped(title)}</title></path>`;

function panelOf({ title, rows }: Panel, x: number, y: number, columnWidth: number, chart: Chart): string {
  const styles = stylesOf(chart.series);
  const left = x + labelWidth;
  const length = columnWidth - labelWidth - 12;
  const all = rows.flatMap(({ values }) => styles.flatMap(({ name }) => values[name] ?? []));
  const scale = scaleOf(all, length);
  const bottom = y + headHeight + rows.length * rowHeight;
  const lines = scale.ticks.map((tick) => {
    const at = rounded(left + scale.at(tick));
    const name = tick === 1 ? 'one' : 'grid';
    return (
      `<path d="M${at} ${y + headHeight - 4}V${bottom}" class="${name}"/>` +
      text(at, bottom + 15, tickLabel(tick), 'class="tick" text-anchor="middle"')
    );
  });
  const plotted = rows.map(({ label, values }, r) => {
    const middle = y + headHeight + (r + 0.5) * rowHeight;
    const band =
      r % 2 === 0
        ? `<path d="M${x} ${middle - rowHeight / 2}h${columnWidth}v${rowHeight}h-${columnWidth}z" class="band"/>`
        : '';
    const dots = styles.flatMap((style) => {
      const value = values[style.name];
      if (value === undefined || !(value > 0)) return [];
      return dot(style, left + scale.at(value), middle, `${label}: ${style.name} ${value.toPrecision(3)}×`);
    });
    return { band, marks: text(left - 10, middle + 4, label, 'text-anchor="end"') + dots.join('') };
  });
  return [
    text(x, y + 18, title, 'class="panel"'),
    ...plotted.map(({ band }) => band),
    ...lines,
    ...plotted.map((row) => row.marks),
    text(left + length / 2, bottom + 33, chart.axis, 'class="tick" text-anchor="middle"'),
  ].join('\n');
}

function legendOf(series: readonly Series[]): { svg: string; height: number } {
  let x = margin;
  let y = legendTop;
  const parts: string[] = [];
  const reference = series.find(({ isReference }) => isReference);
  const entry = (name: string, mark: (x: number, y: number) => string) => {
    const entryWidth = 34 + name.length * 6.8;
    if (x + entryWidth > width - margin) {
      x = margin;
      y += legendRow;
    }
    parts.push(mark(x + 6, y), text(x + 16, y + 4, name));
    x += entryWidth;
  };
  for (const style of stylesOf(series)) entry(style.name, (at, middle) => dot(style, at, middle));
  if (reference)
    entry(`${reference.name}: 1×`, (at, middle) => `<path d="M${at} ${middle - 7}v14" class="one"/>`);
  return { svg: parts.join('\n'), height: y - legendTop + legendRow };
}

/** Two panels side by side, where there are more than one. */
export function dotPlot(chart: Chart): string {
  const columns = Math.min(2, chart.panels.length);
  const columnWidth = (width - 2 * margin - (columns - 1) * columnGap) / columns;
  const legend = legendOf(chart.series);
  let y = legendTop + legend.height;
  const panels: string[] = [];
  for (let first = 0; first < chart.panels.length; first += columns) {
    const line = chart.panels.slice(first, first + columns);
    line.forEach((panel, i) => {
      panels.push(panelOf(panel, margin + i * (columnWidth + columnGap), y, columnWidth, chart));
    });
    y += headHeight + Math.max(...line.map(({ rows }) => rows.length)) * rowHeight + footHeight;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img">
<title>${escaped(chart.title)}</title>
<style>
svg { background: #fff }
text { font: 12px system-ui, sans-serif; fill: #222 }
.title { font-size: 17px; font-weight: 600 }
.panel { font-size: 14px; font-weight: 600 }
.tick { font-size: 11px; fill: #555 }
.grid { stroke: #ddd }
.one { stroke: #222; stroke-width: 1.5; stroke-dasharray: 4 2 }
.band { fill: #f4f4f4 }
.dot { stroke: #fff; stroke-width: .7 }
.ring { stroke: #777; stroke-width: 1.8 }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117 }
text { fill: #e6e6e6 }
.tick { fill: #aaa }
.grid { stroke: #333 }
.one { stroke: #e6e6e6 }
.band { fill: #161b22 }
.dot { stroke: #0d1117 }
}
</style>
${text(margin, 28, chart.title, 'class="title"')}
${text(margin, 46, chart.subtitle, 'class="tick"')}
${legend.svg}
${panels.join('\n')}
</svg>
`;
}
