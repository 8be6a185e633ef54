import { SingleBar } from 'cli-progress';
import type { Progress } from './model.js';
import { percent } from './report.js';

export interface Display extends Progress {
  stop(): void;
}

export interface Plan {
  title: string;
  epochs: number;
  stepsPerEpoch: number;
  /** Without a terminal: a line for every epoch, or for the last one only. */
  everyEpoch: boolean;
}

/** A bar on a terminal, plain lines elsewhere. */
export function displayProgress(plan: Plan): Display {
  return process.stdout.isTTY ? bar(plan) : lines(plan);
}

function bar({ title, epochs, stepsPerEpoch }: Plan): Display {
  const display = new SingleBar({
    stream: process.stdout,
    format: `${title.padEnd(21)}  {bar}  epoch {epoch}  loss {loss}  test accuracy {accuracy}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 12,
    fps: 25,
    // With the default, the bar would change the terminal's mode, and Ctrl-C leave it changed.
    linewrap: true,
  });
  display.start(epochs * stepsPerEpoch, 0, { epoch: `1/${epochs}`, loss: '…', accuracy: '…' });
  return {
    step: (loss) => display.increment({ loss: loss.toFixed(3) }),
    epoch: (number, loss, accuracy) =>
      display.update({
        epoch: `${Math.min(number + 1, epochs)}/${epochs}`,
        loss: loss.toFixed(3),
        accuracy: percent(accuracy),
      }),
    stop: () => display.stop(),
  };
}

function lines({ title, epochs, everyEpoch }: Plan): Display {
  console.log(title);
  return {
    step: () => {},
    epoch: (number, loss, accuracy) => {
      if (!everyEpoch && number < epochs) return;
      const count = `${number}`.padStart(`${epochs}`.length);
      console.log(
        `  epoch ${count}/${epochs}  training loss ${loss.toFixed(4)}  test accuracy ${percent(accuracy)}`,
      );
    },
    stop: () => {},
  };
}
