// What the site is made of, made where it is missing or old: its tools, the package, the guide, the API reference.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist, isStale, root, wasm } from '../tools/front-door/builds.js';

export const site = join(root, 'site');
const docs = join(root, 'docs');

export function run(cwd: string, command: string, ...args: readonly string[]): void {
  const shell = process.platform === 'win32';
  const { status, error } = spawnSync(command, args, { cwd, shell, stdio: 'inherit' });
  if (error !== undefined) throw error;
  // What went wrong the program has said.
  if (status !== 0) process.exit(status ?? 1);
}

/** The path of a program that is installed with the site. */
export const tool = (name: string): string => join(site, 'node_modules/.bin', name);

export function installTools(): void {
  const installed = join(site, 'node_modules/.package-lock.json');
  const lock = join(site, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.log('site: installs VitePress and what else the site alone needs (250 MB)');
  run(site, 'npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
}

/** Without a compiler for WebAssembly the playground has JavaScript. */
function buildPackage(): void {
  if (isStale(wasm)) run(root, 'npm', 'run', '--silent', 'build:wasm', '--', '--optional');
  if (isStale(dist)) run(root, 'npm', 'run', '--silent', 'build:ts');
}

/** The README as a page: its links are of the root, and its pictures of the playground are live on this site. */
export function guideOf(readme: string): string {
  const text = readme
    .replace(/<picture>.*?<\/picture>\n*/gs, '')
    .replace(/^# .*$/m, '# Guide')
    .replace(/\]\((?!#|[a-z]+:)([^)\s]+)\)/g, (_, link: string) =>
      link.startsWith('docs/') ? `](${link.slice(5)})` : `](../${link})`,
    );
  return `<!-- Made of README.md by site/prepare.ts. -->\n\n${text}`;
}

export function prepare(): void {
  installTools();
  buildPackage();
  writeFileSync(join(docs, 'guide.md'), guideOf(readFileSync(join(root, 'README.md'), 'utf8')));
  run(site, tool('typedoc'), '--options', 'typedoc.json', '--logLevel', 'Warn');
}
