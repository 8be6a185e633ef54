// What registries show of the package: where it comes from, and a README whose links lead somewhere.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const place = 'https://github.com/softmax-native/softmax-native';

it('the repository is one by which a registry resolves relative links', () => {
  expect(manifest.repository).toEqual({ type: 'git', url: `git+${place}.git` });
  expect(manifest.homepage).toBe(`${place}#readme`);
  expect(manifest.bugs).toEqual({ url: `${place}/issues` });
});

/** As GitHub names the anchor of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

/** Why a link of the README leads nowhere. */
function findFault(link: string): string | undefined {
  const [path = '', anchor] = link.split('#');
  const file = join(root, path === '' ? 'README.md' : path);
  // What a build makes is in no repository.
  if (/^\/|^\.\.|^(?:dist|build|prebuilds|node_modules|docs\/api)\b/.test(path) || !existsSync(file))
    return `${link}: there is no such file in the repository`;
  if (anchor === undefined || !path.endsWith('.md')) return undefined;
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm);
  const isThere = [...headings].some(([, heading = '']) => anchorOf(heading) === anchor);
  return isThere ? undefined : `${link}: there is no such heading`;
}

it("README's relative links lead to files of the repository", () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8').replace(/^```.*?^```/gms, '');
  const links = [...readme.matchAll(/\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"/g)].map(
    ([, link = '', attribute]) => attribute ?? link,
  );
  const relative = links.filter((link) => !/^(?:[a-z]+:|#)/.test(link));
  expect(relative.length).toBeGreaterThan(3);
  expect(relative.map(findFault).filter((fault) => fault !== undefined)).toEqual([]);
});
