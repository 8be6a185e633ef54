// A bar chart as SVG: panels side by side, in a panel groups of bars from 0 on a linear axis, each bar with its name and
// value. Longer is better. Readable on light and on dark pages.

export interface Group {
  readonly label: string;
  /** By the names of `Chart.names`; a bar for each that is there. */
  readonly values: Readonly<Record<string, number>>;
}

export interface Panel {
  readonly title: string;
  readonly groups: readonly Group[];
}

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  /** At most five, in the order of their bars; the first is emphasised. */
  readonly names: readonly string[];
  readonly panels: readonly Panel[];
}

/** At least 3:1 on white and on GitHub's dark background, as WCAG 2.2 asks of graphics. */
const colors = ['#1f6feb', '#1a9a6c', '#c9661a', '#a65fd3', '#808080'];

const width = 960;
const margin = 20;
const columnGap = 28;
const nameWidth = 124;
const valueWidth = 44;
const barHeight = 11;
const barStep = 15;
const groupHead = 22;
const groupGap = 12;
const panelHead = 34;
const panelTop = 64;
const footHeight = 30;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const rounded = (value: number): number => Math.round(value * 10) / 10;
/** `41×`, `1.8×`. */
const shown = (value: number): string => `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)}×`;

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${rounded(x)}" y="${rounded(y)}"${attributes && ` ${attributes}`}>${escaped(content)}</text>`;
}

const barsOf = ({ values }: Group, { names }: Chart) =>
  names.flatMap((name, i) => {
    const value = values[name];
    return value === undefined ? [] : [{ name, value, color: colors[i] as string, isFirst: i === 0 }];
  });

const groupHeight = (group: Group, chart: Chart): number =>
  groupHead + barsOf(group, chart).length * barStep + groupGap;

const panelHeight = ({ groups }: Panel, chart: Chart): number =>
  panelHead + groups.reduce((sum, group) => sum + groupHeight(group, chart), 0) + footHeight;

/** 4 to 8 ticks at multiples of 1, 2 or 5 times a power of ten. */
function ticksOf(largest: number): readonly number[] {
  const rough = largest / 4;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = ([5, 2, 1].find((factor) => factor * decade <= rough) as number) * decade;
  return Array.from({ length: Math.floor(largest / step) + 1 }, (_, i) => i * step);
}

function panelOf(panel: Panel, x: number, y: number, panelWidth: number, chart: Chart): string {
  const left = x + nameWidth;
  // One scale for all panels.
  const groupsOfAll = chart.panels.flatMap(({ groups }) => groups);
  const largest = Math.max(...groupsOfAll.flatMap((group) => barsOf(group, chart).map(({ value }) => value)));
  const scale = (panelWidth - nameWidth - valueWidth) / largest;
  const bottom = y + panelHeight(panel, chart) - footHeight;
  const grid = ticksOf(largest).map((tick) => {
    const at = rounded(left + tick * scale);
    return `<path d="M${at} ${y + panelHead}V${bottom}" class="grid"/>${text(at, bottom + 16, `${tick}×`, 'class="note" text-anchor="middle"')}`;
  });
  let top = y + panelHead;
  const groups = panel.groups.map((group) => {
    const bars = barsOf(group, chart).map(({ name, value, color, isFirst }, i) => {
      const at = top + groupHead + i * barStep;
      const style = `class="value${isFirst ? ' first' : ''}"`;
      const length = rounded(value * scale);
      return [
        text(left - 8, at + 10, name, `${style} text-anchor="end"`),
        `<path d="M${left} ${at}h${length}v${barHeight}h-${length}z" fill="${color}"/>`,
        text(left + length + 6, at + 10, shown(value), style),
      ].join('');
    });
    const head = text(left, top + 15, group.label, 'class="group"');
    top += groupHeight(group, chart);
    return [head, ...bars].join('\n');
  });
  return [text(left, y + 18, panel.title, 'class="panel"'), ...grid, ...groups].join('\n');
}

/** At most two panels in a line. */
export function barChart(chart: Chart): string {
  const columns = Math.min(2, chart.panels.length);
  const panelWidth = (width - 2 * margin - (columns - 1) * columnGap) / columns;
  const panels: string[] = [];
  let y = panelTop;
  for (let first = 0; first < chart.panels.length; first += columns) {
    const line = chart.panels.slice(first, first + columns);
    line.forEach((panel, i) => {
      panels.push(panelOf(panel, margin + i * (panelWidth + columnGap), y, panelWidth, chart));
    });
    y += Math.max(...line.map((panel) => panelHeight(panel, chart)));
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img">
<title>${escaped(chart.title)}</title>
<style>
svg { background: #fff }
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 }
.panel { font-size: 15px; font-weight: 600 }
.group { font-weight: 600 }
.first { font-weight: 700 }
.value { paint-order: stroke; stroke: #fff; stroke-width: 4px }
.note { font-size: 11.5px; fill: #59636e }
.grid { stroke: #d1d9e0 }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117 }
text { fill: #f0f6fc }
.value { stroke: #0d1117 }
.note { fill: #9198a1 }
.grid { stroke: #3d444d }
}
</style>
${text(margin, 28, chart.title, 'class="title"')}
${text(margin, 48, chart.subtitle, 'class="note"')}
${panels.join('\n')}
</svg>
`;
}
