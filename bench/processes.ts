// Runners in processes of their own.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Case } from './cases.js';
import type { Contestant, Runner } from './race.js';
import type { Answer, Request } from './worker.js';

export interface Entrant {
  readonly name: string;
  /** What exports `open`, and what that is told. */
  readonly module: URL;
  readonly argument?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const worker = fileURLToPath(new URL('worker.ts', import.meta.url));

/** The next message; or that the process has ended instead. */
function answerOf(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve) => {
    const finish = (answer: Answer) => {
      child.off('message', finish).off('exit', end);
      resolve(answer);
    };
    const end = (code: number | null) => finish({ failure: `the process ended with ${code}` });
    child.on('message', finish).on('exit', end);
  });
}

async function ask(child: ChildProcess, request: Request): Promise<Answer> {
  child.send(request);
  return answerOf(child);
}

/** Says why not, where the contestant can't be opened. */
export async function start({ name, module, argument = '', env }: Entrant): Promise<Runner | string> {
  const child = fork(worker, [module.href, argument], { env: { ...process.env, ...env } });
  const opened = await answerOf(child);
  if (!('version' in opened)) return 'failure' in opened ? opened.failure : 'it did not start';
  return {
    name,
    version: opened.version,
    async enter(problemCase: Case): Promise<Contestant | undefined> {
      const prepared = await ask(child, { prepare: problemCase });
      if ('isMissing' in prepared) return undefined;
      if (!('expected' in prepared)) throw new Error(`${name}: ${JSON.stringify(prepared)}`);
      return {
        name,
        ...prepared,
        async turn(budget) {
          const answer = await ask(child, { budget });
          if ('nanoseconds' in answer) return answer.nanoseconds;
          throw new Error(`${name}: ${JSON.stringify(answer)}`);
        },
      };
    },
    close: () => {
      child.disconnect();
    },
  };
}
