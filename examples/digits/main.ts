// Learns to read handwritten digits by softmax regression: 8,000 MNIST images, mini-batch gradient descent,
// one crossEntropy call of softmax-native per step for the loss and its gradient. It repeats the run on the
// package's JavaScript backend, whose weights are the same bits, times that call beside a plain loop, and shows how
// well the model reads 2,000 other images.
import { writeFile } from 'node:fs/promises';
import { lossCurve } from './curve.js';
import { type Digits, loadDigits } from './data.js';
import { loadLibrary } from './library.js';
import { answers, type CrossEntropy, computeLogits, type Run, train } from './model.js';
import { HELP, type Options, parseOptions, UsageError } from './options.js';
import { plainCrossEntropy } from './plain.js';
import { displayProgress } from './progress.js';
import {
  announcement,
  confusionTable,
  describeBackend,
  percent,
  sameWeights,
  timings,
  trainingTime,
  weightsDigest,
} from './report.js';
import { drawSamples } from './samples.js';
import { timeCalls } from './speed.js';

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return;
  }
  const { softmax, crossEntropy, backend } = await loadLibrary(options.backend);
  const digits = await loadDigits(options.seed);

  console.log(announcement(options.batchSize));
  const run = showTraining(backend.kind, crossEntropy, digits, options);
  const js = backend.kind === 'native' ? await loadLibrary('js') : undefined;
  const jsRun = js && showTraining('js', js.crossEntropy, digits, options, false);
  const batch = digits.train.slice(0, options.batchSize);
  const contenders = {
    [`softmax-native, ${backend.isa ?? 'JavaScript'}`]: crossEntropy,
    ...(js && { 'softmax-native, JavaScript': js.crossEntropy }),
    'plain loop over Math.exp': plainCrossEntropy,
  };
  console.log(`\n${timings(timeCalls(contenders, batch, run.weights), batch.length)}`);
  console.log(jsRun ? sameWeights(run, jsRun) : `Native code was not compared: ${backend.reason}.`);

  const logits = computeLogits(digits.test, run.weights);
  const testAnswers = answers(logits);
  console.log(`\n${drawSamples(digits.test, logits, testAnswers, softmax)}`);
  console.log(`\n${confusionTable(digits.test, testAnswers)}`);
  console.log(`\n${describeBackend(backend)}`);
  console.log(trainingTime(run));
  console.log(`\ntest accuracy  ${percent(run.accuracies.at(-1) ?? 0)}`);
  console.log(`weights sha256  ${weightsDigest(run)}`);
  await writeFile(options.svg, lossCurve(run, options));
  console.log(`loss curve  ${options.svg}`);
}

function showTraining(
  kind: string,
  crossEntropy: CrossEntropy,
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
