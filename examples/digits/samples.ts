import { CLASSES, type Image, SIDE } from './data.js';
import type { Library } from './library.js';

const TEMPERATURES = [0.5, 1, 4];
const CELL_WIDTH = 17;
const BAR_WIDTH = 5;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

interface Sample {
  image: Image;
  logits: Float32Array;
  answer: number;
  /** How far the largest logit is ahead of the second. */
  lead: number;
}

/** The telling test images, each drawn beside its probabilities at three temperatures. */
export function drawSamples(
  images: Image[],
  logits: Float32Array,
  answers: number[],
  softmax: Library['softmax'],
): string {
  const samples = images.map((image, index): Sample => {
    const row = logits.subarray(index * CLASSES, (index + 1) * CLASSES);
    const [first = 0, second = 0] = row.toSorted().reverse();
    return { image, logits: row, answer: answers[index] ?? 0, lead: first - second };
  });
  samples.sort((one, other) => other.lead - one.lead);
  const right = samples.filter(({ answer, image }) => answer === image.label);
  const wrong = samples.filter(({ answer, image }) => answer !== image.label);
  const choice = [
    { title: 'the surest right answer', sample: right.at(0) },
    { title: 'the most doubtful right answer', sample: right.at(-1) },
    { title: 'the most doubtful wrong answer', sample: wrong.at(-1) },
    { title: 'the surest wrong answer', sample: wrong.at(0) },
  ];
  return choice
    .flatMap(({ title, sample }) => (sample ? drawSample(title, sample, softmax) : []))
    .join('\n\n');
}

function drawSample(title: string, { image, logits, answer }: Sample, softmax: Library['softmax']): string {
  const columns = TEMPERATURES.map((temperature) => softmax(logits, { temperature }));
  const rows = Array.from({ length: CLASSES }, (_, digit) => {
    const cells = columns.map((probabilities) => probabilityCell(probabilities[digit] ?? 0));
    return `${digit}  ${cells.join('')}`;
  });
  const head = TEMPERATURES.map((temperature) => `temperature ${temperature}`.padEnd(CELL_WIDTH)).join('');
  const table = ['', `   ${head}`, ...rows];
  const mistake = answer === image.label ? '' : `, taken for a ${answer}`;
  const lines = drawImage(image).map((line, row) => `${line}  ${table[row] ?? ''}`.trimEnd());
  return [`${title}: a ${image.label}${mistake}`, ...lines].join('\n');
}

function probabilityCell(probability: number): string {
  const eighths = Math.round(probability * BAR_WIDTH * 8);
  const bar = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
  return `${(100 * probability).toFixed(1).padStart(5)} % ${bar}`.padEnd(CELL_WIDTH);
}

/** Two pixels above each other share a character, which makes them about square. */
function drawImage({ inputs, values }: Image): string[] {
  const dark = new Set([...inputs].filter((_, entry) => (values[entry] ?? 0) > 0.4));
  return Array.from({ length: SIDE / 2 }, (_, line) =>
    Array.from({ length: SIDE }, (_, column) => {
      const upper = dark.has(2 * line * SIDE + column);
      const lower = dark.has((2 * line + 1) * SIDE + column);
      return upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
    }).join(''),
  );
}
