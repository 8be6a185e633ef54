// This Node and later ones, for checks that run on several.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../tools/front-door/builds.js';

/** Paths; those that are not there are fetched from npm. */
export const nodes = (): string[] =>
  execFileSync('bash', [join(root, 'tools/get-nodes.sh')], { encoding: 'utf8' })
    .trim()
    .split('\n');

/** A Node of the caller's, and the arguments without it. */
export function takeNode(args: readonly string[]): { node?: string; others: readonly string[] } {
  const at = args.indexOf('--node');
  const node = args[at + 1];
  return at < 0 || node === undefined ? { others: args } : { node, others: args.toSpliced(at, 2) };
}
