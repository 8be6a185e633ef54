// Links of docs/ on the site: those to files of the repository that are no pages lead to GitHub, and a page's file name as
// their text becomes its title. A file that is not there ends the build.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MarkdownRenderer } from 'vitepress';

const root = fileURLToPath(new URL('..', import.meta.url));
const docs = join(root, 'docs');
const repository = 'https://github.com/softmax-native/softmax-native';

/** Where a link leads on the site. The README is a page, by the name of the guide. */
export function findTarget(page: string, link: string): string {
  if (/^(?:[a-z]+:|#|\/)/.test(link)) return link;
  const [path = ''] = link.split('#');
  const hash = link.slice(path.length);
  const file = join(dirname(page), path);
  if (!relative(docs, file).startsWith('..')) return link;
  if (file === join(root, 'README.md')) return `./guide.md${hash}`;
  if (!existsSync(file)) throw new Error(`${relative(root, page)}: ${link}: there is no such file`);
  return `${repository}/blob/main/${relative(root, file)}${hash}`;
}

/** The title of a page that a text names by its file. */
export function findTitle(text: string): string | undefined {
  const name = /^(?:docs\/)?([\w-]+\.md)$/.exec(text)?.[1];
  const file = join(docs, name ?? '');
  if (name === undefined || !existsSync(file)) return undefined;
  return /^# (.*)$/m.exec(readFileSync(file, 'utf8'))?.[1];
}

export function changeLinks(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('change-links', ({ tokens, env }) => {
    for (const { children } of tokens)
      children?.forEach((token, i) => {
        if (token.type !== 'link_open') return;
        token.attrSet('href', findTarget(env.path, token.attrGet('href') ?? ''));
        const text = children[i + 1];
        if (text?.type === 'text') text.content = findTitle(text.content) ?? text.content;
      });
  });
}
