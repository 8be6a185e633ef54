// Links of docs/ to files of the repository that are no pages lead to GitHub. A file that is not there ends the build.

import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MarkdownRenderer } from 'vitepress';

const root = fileURLToPath(new URL('..', import.meta.url));
const docs = join(root, 'docs');
const repository = 'https://github.com/softmax-native/softmax-native';

/** Undefined for a link that stays as it is. The README is a page, by the name of the guide. */
export function findOutside(page: string, link: string): string | undefined {
  if (/^(?:[a-z]+:|#|\/)/.test(link)) return undefined;
  const [path = ''] = link.split('#');
  const hash = link.slice(path.length);
  const file = join(dirname(page), path);
  if (!relative(docs, file).startsWith('..')) return undefined;
  if (file === join(root, 'README.md')) return `./guide.md${hash}`;
  if (!existsSync(file)) throw new Error(`${relative(root, page)}: ${link}: there is no such file`);
  return `${repository}/blob/main/${relative(root, file)}${hash}`;
}

export function linkOutside(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('link-outside', ({ tokens, env }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.attrGet('href');
      const outside = href === null ? undefined : findOutside(env.path, href);
      if (outside !== undefined) token.attrSet('href', outside);
    }
  });
}
