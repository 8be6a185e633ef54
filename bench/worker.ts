// One contestant's process. What it has compiled is what a program with this contestant alone would have, and other
// contestants' types and functions do not slow its calls.
//
//   worker.ts MODULE ARGUMENT

import type { Case, Operation } from './cases.js';
import type { Call, Implementation, Open } from './implementation.js';
import { problemOf } from './problem.js';
import { worstError } from './reference.js';
import { estimate, medianTime } from './timing.js';

export type Request = { readonly prepare: Case } | { readonly budget: number };
export type Answer =
  | { readonly version: string }
  | { readonly expected: number; readonly error: number | undefined }
  | { readonly nanoseconds: number }
  | { readonly isMissing: true }
  | { readonly failure: string };

let call: Call | undefined;
let expected = 0;
const known = new Set<Operation>();

async function prepare(problemCase: Case, implementation: Implementation): Promise<Answer> {
  call?.close?.();
  const problem = problemOf(problemCase);
  call = await implementation.prepare(problem);
  if (!call) return { isMissing: true };
  await call.run();
  const result = await call.result();
  const error = result && worstError(problem, result);
  // The first calls of a function are many, for the engine to compile it.
  const warmup = implementation.warmup ?? (known.has(problemCase.operation) ? 10e6 : 150e6);
  expected = await estimate(call.run, warmup);
  known.add(problemCase.operation);
  return { expected, error };
}

async function main([module, argument]: readonly string[]): Promise<void> {
  const { open }: { open: Open } = await import(module as string);
  const implementation = await open(argument as string);
  const answer = async (request: Request): Promise<Answer> => {
    if ('prepare' in request) return prepare(request.prepare, implementation);
    return { nanoseconds: await medianTime((call as Call).run, expected, request.budget) };
  };
  process.on('message', (request: Request) => {
    answer(request).then(send, fail);
  });
  send({ version: implementation.version });
}

const send = (message: Answer): boolean | undefined => process.send?.(message);
const fail = (error: unknown): boolean | undefined => send({ failure: String(error) });

main(process.argv.slice(2)).catch((error) => {
  fail(error);
  process.disconnect();
});
