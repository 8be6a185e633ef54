// An output layer of 128256 classes in shards, a process each: training, tokens, and a shard that is lost midway; then the
// same in one process, bit for bit.
//   npm run setup && npm start        (after `npm run build:all` of the package; needs nats-server)
//   npm start -- --help

import { isDeepStrictEqual, parseArgs } from 'node:util';
import { backend } from 'softmax-native';
import { measure } from './measure.mjs';
import { Mistake } from './mistake.mjs';
import { block, uniform } from './numbers.mjs';
import { train, withShards } from './run.mjs';
import { large, Task } from './task.mjs';
import { Whole } from './whole.mjs';

const help = `npm start                 a demonstration: trains, loses a shard, draws tokens, compares with one process
npm start -- measure      what a step costs with 1, 2 and 4 processes, and how much of it is exchange
  --shards N    processes of the demonstration (4)
  --steps N     (${large.steps})
  --quick       measures fewer steps`;

function readArguments(args) {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  const options = { shards: text, steps: text, quick: flag, help: flag };
  const { values, positionals } = (() => {
    try {
      return parseArgs({ args, options, allowPositionals: true });
    } catch (error) {
      throw new Mistake(error.message);
    }
  })();
  const number = (name, most, otherwise) => {
    const value = Number(values[name] ?? otherwise);
    if (Number.isInteger(value) && value > 0 && value <= most) return value;
    throw new Mistake(`--${name} can't be ${values[name]}: 1 to ${most}`);
  };
  const shards = number('shards', Math.ceil(large.classes / block), 4);
  return { ...values, positionals, shards, steps: number('steps', 10_000, large.steps) };
}

/** What differs, by name; nothing. */
const differences = (a, b) => Object.keys(b).filter((name) => !isDeepStrictEqual(a[name], b[name]));

function sayDrawn({ drawn, logProbs }, model) {
  const task = new Task(model);
  console.log(
    '\nTokens drawn after 4 prompts; * where it is not the next of the text; with log-probabilities:',
  );
  for (let row = 0; row < 4; row++) {
    const words = logProbs.map((numbers, i) => {
      const isNext = drawn[i + 1][row] === task.next(drawn[i][row]);
      return `${drawn[i + 1][row]}${isNext ? '' : '*'} (${numbers[row].toFixed(2)})`;
    });
    console.log(`  ${drawn[0][row]}: ${words.join(' ')}`);
  }
}

async function demonstrate({ shards: count, steps }) {
  const model = { ...large, steps };
  const cut = steps >> 1;
  const lost = Math.floor(count * uniform(model.seed, 0));
  console.log(`${model.classes} classes in ${count} processes, backend ${backend.isa ?? backend.kind}`);
  const result = await withShards(count, model, (layer, shards) =>
    train(layer, model, (step, { loss }) => {
      console.log(`step ${String(step).padStart(2)}   loss ${loss.toFixed(4)}`);
      if (step !== cut) return;
      // The next request is cut: it is under way, or finds nobody.
      setTimeout(() => shards.kill(lost), 20);
      console.log(`          shard ${lost} is killed in the next step, and comes back`);
    }),
  );
  sayDrawn(result, model);
  console.log('\nThe same in one process, which has the whole layer …');
  const expected = await train(new Whole(model), model);
  const different = differences(result, expected);
  if (different.length > 0) throw new Mistake(`not the same: ${different.join(', ')}`);
  console.log(
    'The same bits: losses, log-sum-exps and gradients of all steps, weights, tokens, log-probabilities.',
  );
  console.log(`weights ${result.weights}`);
}

async function main() {
  const options = readArguments(process.argv.slice(2));
  if (options.help) return console.log(help);
  const [command = 'demonstration', ...others] = options.positionals;
  const commands = { demonstration: demonstrate, measure };
  if (!Object.hasOwn(commands, command) || others.length > 0) throw new Mistake(help);
  await commands[command](options);
}

main().catch((error) => {
  console.error(error instanceof Mistake ? error.message : error);
  process.exit(1);
});
