// What temperature, topP and minP leave of a row of 24 logits, as SVG: the probabilities in falling order, and above them
// how far each filter keeps them. Readable on light and on dark pages.

import { sample, softmax } from 'softmax-native';

const logits = Float32Array.from({ length: 24 }, (_, i) => 5 - Math.log1p(1.8 * i));
const temperatures = [0.5, 1, 1.5];
const filters = [
  { name: 'topP 0.9', options: { topP: 0.9 }, color: '#1f6feb' },
  { name: 'minP 0.1', options: { minP: 0.1 }, color: '#c9661a' },
  { name: 'topK 8', options: { topK: 8 }, color: '#1a9a6c' },
] as const;

const [width, left, step, bar, panel, tall] = [720, 110, 24, 18, 190, 80];

function panelOf(temperature: number, y: number): string {
  const p = softmax(logits, { temperature });
  const base = y + panel - 20;
  const largest = p[0] as number;
  const bars = [...p].map((value, i) => {
    const height = Math.max(0.5, (value / largest) * tall);
    return `<path d="M${left + i * step} ${base}h${bar}v-${height.toFixed(1)}h-${bar}z" class="bar"/>`;
  });
  const lines = filters.map(({ name, options, color }, i) => {
    const { kept } = sample(logits, { temperature, ...options, seed: 1 });
    const end = left + (kept[0] as number) * step - (step - bar);
    const at = y + 24 + i * 18;
    return (
      `<path d="M${left} ${at}H${end}" stroke="${color}" stroke-width="5"/>` +
      `<text x="${left - 8}" y="${at + 4}" text-anchor="end">${name}</text>` +
      `<text x="${end + 6}" y="${at + 4}">${kept[0]}</text>`
    );
  });
  return [
    `<text x="${left}" y="${y + 8}" class="head">temperature ${temperature}: the largest has ${Math.round(100 * largest)} %</text>`,
    ...lines,
    ...bars,
  ].join('\n');
}

export function picture(): string {
  const height = 16 + temperatures.length * panel;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>What temperature, topP, minP and topK leave of 24 classes</title>
<style>
svg { background: #fff }
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.head { font-weight: 600 }
.bar { fill: #8c959f }
@media (prefers-color-scheme: dark) { svg { background: #0d1117 } text { fill: #f0f6fc } }
</style>
${temperatures.map((temperature, i) => panelOf(temperature, 16 + i * panel)).join('\n')}
</svg>
`;
}
