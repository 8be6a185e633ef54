import type { Run, Settings } from './model.js';

const WIDTH = 760;
const HEIGHT = 560;
const LEFT = 70;
const RIGHT = WIDTH - 30;
const MOST_POINTS = 600;

interface Point {
  x: number;
  y: number;
}

/** One plot: its place on the page, the range of its axis, and what it shows. */
interface Panel {
  title: string;
  top: number;
  bottom: number;
  ticks: number[];
  format: (tick: number) => string;
  draw: (place: (point: Point) => Point) => string;
}

/** An SVG page: the loss of every step above, the test accuracy after every epoch below. */
export function lossCurve({ losses, accuracies }: Run, settings: Settings): string {
  const stretch = Math.ceil(losses.length / MOST_POINTS);
  const steps = thin(losses, stretch).map(({ x, y }) => ({ x: (x / losses.length) * settings.epochs, y }));
  const epochs = accuracies.map((accuracy, index) => ({ x: index + 1, y: 100 * accuracy }));
  const means = stretch === 1 ? 'each batch' : `means of ${stretch} batches`;
  const panels: Panel[] = [
    {
      title: `training loss (cross-entropy): ${means} (pale), moving average (dark)`,
      top: 90,
      bottom: 320,
      ticks: ticks(0, Math.max(...steps.map(({ y }) => y)), 6),
      format: (tick) => `${tick}`,
      draw: (place) => line(steps.map(place), '#9ec5e8', 1) + line(smooth(steps).map(place), '#14568f', 2.5),
    },
    {
      title: 'test accuracy after each epoch',
      top: 388,
      bottom: 500,
      ticks: ticks(Math.min(...epochs.map(({ y }) => y)), Math.max(...epochs.map(({ y }) => y)), 4),
      format: (tick) => `${tick} %`,
      draw: (place) => line(epochs.map(place), '#b4530a', 1.5) + epochs.map(place).map(dot).join(''),
    },
  ];
  const { epochs: count, batchSize, learningRate, seed } = settings;
  const subtitle = `epochs ${count}, batch size ${batchSize}, learning rate ${learningRate} falling to 0, seed ${seed}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="13" fill="#333">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${LEFT}" y="32" font-size="18" font-weight="bold">Softmax regression learns to read digits</text>
<text x="${LEFT}" y="52" fill="#666">${subtitle}</text>
${panels.map((panel) => drawPanel(panel, count)).join('\n')}
<text x="${(LEFT + RIGHT) / 2}" y="${HEIGHT - 14}" text-anchor="middle">epoch</text>
</svg>
`;
}

function drawPanel({ title, top, bottom, ticks: rows, format, draw }: Panel, epochs: number): string {
  const lowest = rows[0] ?? 0;
  const highest = rows.at(-1) ?? 1;
  const place = ({ x, y }: Point): Point => ({
    x: round(LEFT + (x / epochs) * (RIGHT - LEFT)),
    y: round(bottom - ((y - lowest) / (highest - lowest)) * (bottom - top)),
  });
  const grid = rows.map((tick) => {
    const y = place({ x: 0, y: tick }).y;
    const label = `<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${format(tick)}</text>`;
    return `<line x1="${LEFT}" x2="${RIGHT}" y1="${y}" y2="${y}" stroke="#e2e2e2"/>${label}`;
  });
  const columns = ticks(0, epochs, 12).filter((tick) => Number.isInteger(tick) && tick <= epochs);
  const axis = columns.map((tick) => {
    const x = place({ x: tick, y: 0 }).x;
    const label = `<text x="${x}" y="${bottom + 20}" text-anchor="middle">${tick}</text>`;
    return `<line x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 5}" stroke="#333"/>${label}`;
  });
  return `<text x="${LEFT}" y="${top - 10}" font-weight="bold">${title}</text>
${grid.join('')}
<line x1="${LEFT}" x2="${RIGHT}" y1="${bottom}" y2="${bottom}" stroke="#333"/>${axis.join('')}
${draw(place)}`;
}

/** Round values at about `count` equal distances, from the last at or below `from` to the first at or above `to`. */
function ticks(from: number, to: number, count: number): number[] {
  const raw = Math.max(to - from, 1) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const distance = power * ([1, 2, 5].find((factor) => factor * power >= raw) ?? 10);
  const first = Math.floor(from / distance);
  const last = Math.max(Math.ceil(to / distance), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * distance).toFixed(6)),
  );
}

/** The means of equal stretches, at their middles, so that a long run does not make a huge file. */
function thin(losses: number[], length: number): Point[] {
  return Array.from({ length: Math.ceil(losses.length / length) }, (_, index) => {
    const stretch = losses.slice(index * length, (index + 1) * length);
    return { x: index * length + stretch.length / 2, y: mean(stretch) };
  });
}

/** A moving average. Its window is short at first, where the loss falls steeply. */
function smooth(points: Point[]): Point[] {
  const widest = Math.ceil(points.length / 60);
  return points.map(({ x }, index) => {
    const reach = Math.min(widest, Math.floor(index / 2));
    return { x, y: mean(points.slice(index - reach, index + reach + 1).map(({ y }) => y)) };
  });
}

/** A tenth of a pixel is enough, and keeps the file small. */
function round(coordinate: number): number {
  return Math.round(10 * coordinate) / 10;
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function line(points: Point[], colour: string, width: number): string {
  const path = points.map(({ x, y }) => `${x},${y}`).join(' ');
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round"/>`;
}

function dot({ x, y }: Point): string {
  return `<circle cx="${x}" cy="${y}" r="3.5" fill="#b4530a"/>`;
}
