// Learns to read handwritten digits by softmax regression: 8,000 MNIST images, mini-batch gradient descent,
// one crossEntropy call of softmax-native a step for the loss and its gradient. It then shows how well the
// model reads 2,000 other images, repeats the run on the library's JavaScript backend, and compares the two:
// the time spent in the library, and the weights, which are the same bits.
import { writeFile } from 'node:fs/promises';
import { lossCurve } from './curve.js';
import { type Digits, loadDigits } from './data.js';
import { type Library, loadLibrary } from './library.js';
import { answers, computeLogits, type Run, train } from './model.js';
import { HELP, type Options, parseOptions, UsageError } from './options.js';
import { displayProgress } from './progress.js';
import { confusionTable, describeBackend, percent, timings, weightsDigest } from './report.js';
import { drawSamples } from './samples.js';

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return;
  }
  const { softmax, crossEntropy, backend } = await loadLibrary(options.backend);
  const digits = await loadDigits(options.seed);

  const run = showTraining(backend.kind, crossEntropy, digits, options);
  const jsRun = backend.kind === 'native' ? await repeatInJavaScript(digits, options) : undefined;

  const logits = computeLogits(digits.test, run.weights);
  const testAnswers = answers(logits);
  console.log(`\n${drawSamples(digits.test, logits, testAnswers, softmax)}`);
  console.log(`\n${confusionTable(digits.test, testAnswers)}`);
  console.log(`\n${describeBackend(backend)}`);
  console.log(timings(backend, run, jsRun));
  console.log(`\ntest accuracy  ${percent(run.accuracies.at(-1) ?? 0)}`);
  console.log(`weights sha256  ${weightsDigest(run)}`);
  await writeFile(options.svg, lossCurve(run, options));
  console.log(`loss curve  ${options.svg}`);
}

async function repeatInJavaScript(digits: Digits, options: Options): Promise<Run> {
  const { crossEntropy } = await loadLibrary('js');
  return showTraining('js', crossEntropy, digits, options, false);
}

function showTraining(
  kind: Library['backend']['kind'],
  crossEntropy: Library['crossEntropy'],
  digits: Digits,
  options: Options,
  everyEpoch = true,
): Run {
  const { epochs, batchSize } = options;
  const stepsPerEpoch = Math.ceil(digits.train.length / batchSize);
  const display = displayProgress({ title: `training (${kind})`, epochs, stepsPerEpoch, everyEpoch });
  try {
    return train(crossEntropy, digits, options, display);
  } finally {
    display.stop();
  }
}

/** The message of an error, followed by its cause's unless the message tells it already. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : explain(error.cause);
  return error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
}

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await main();
} catch (error) {
  console.error(
    `digits: ${explain(error)}${error instanceof UsageError ? ' (--help lists the options)' : ''}`,
  );
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
