// The site: docs/ as pages, the README as its guide, the API reference that typedoc writes, and the figures.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type DefaultTheme, defineConfig, type Plugin } from 'vitepress';
import { changeLinks } from '../links.js';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const icon =
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>" +
  "<path d='M1 9h4v6H1zM6 1h4v14H6zM11 12h4v3h-4z' fill='%230b7a75'/></svg>";

const groups: readonly [folder: string, title: string][] = [
  ['functions', 'Functions'],
  ['variables', 'Variables'],
  ['interfaces', 'Interfaces'],
  ['type-aliases', 'Types'],
];
const listed = [
  ...readFileSync(at('../../docs/api/index.md'), 'utf8').matchAll(/^- \[.*\]\((.*)\/(.*)\.md\)/gm),
];
const reference: DefaultTheme.SidebarItem[] = groups.map(([folder, text]) => ({
  text,
  items: listed
    .filter(([, one]) => one === folder)
    .map(([, , name = '']) => ({ text: name, link: `/api/${folder}/${name}` }))
    .sort((a, b) => a.text.localeCompare(b.text)),
}));

const pages = (text: string, items: readonly [text: string, link: string][]): DefaultTheme.SidebarItem => ({
  text,
  items: items.map(([item, link]) => ({ text: item, link })),
});
const guide = [
  pages('Begin', [
    ['Guide', '/guide'],
    ['Playground', '/playground'],
    ['Installing', '/installing'],
    ['API reference', '/api/'],
  ]),
  pages('Use', [
    ['From logits to tokens', '/tokens'],
    ['Larger than one machine', '/sharding'],
    ['Batch scoring', '/batch-scoring'],
    ['Threads and the event loop', '/concurrency'],
    ['The command line', '/cli'],
  ]),
  pages('Trust', [
    ['Numerics', '/numerics'],
    ['Performance', '/performance'],
    ['Kernels', '/kernels'],
    ['Hard to break', '/hardening'],
    ['Releasing', '/releasing'],
  ]),
];

/** Vite looks for Vue from docs/ on, where the pages lie, and which has no node_modules. */
const vueOfSite: Plugin = {
  name: 'vue-of-site',
  enforce: 'pre',
  resolveId(source, importer, { ssr }) {
    if (!/^vue(?:\/|$)/.test(source)) return null;
    if (ssr) return { id: source, external: true };
    return importer?.startsWith(at('../../docs/')) ? this.resolve(source, at('./config.ts')) : null;
  },
};

export default defineConfig({
  title: 'softmax-native',
  description: 'The softmax family for Node.js and browsers: fast, accurate, the same bits on every backend',
  lang: 'en',
  srcDir: '../docs',
  outDir: '../build/site',
  cacheDir: '../build/site-cache',
  rewrites: { 'README.md': 'index.md' },
  cleanUrls: true,
  head: [
    ['link', { rel: 'icon', href: icon }],
    ['meta', { name: 'theme-color', content: '#0b7a75' }],
  ],
  markdown: {
    config: changeLinks,
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/guide' },
      { text: 'Playground', link: '/playground' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
      { text: 'Numerics', link: '/numerics' },
      { text: 'Performance', link: '/performance' },
    ],
    sidebar: { '/api/': reference, '/': guide },
    outline: { level: [2, 3], label: 'On this page' },
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: 'https://github.com/softmax-native/softmax-native' }],
    footer: { message: 'MIT licensed.' },
  },
  // What VitePress would read at the top of these files, where GitHub shows it as a table.
  transformPageData({ relativePath, frontmatter }) {
    if (relativePath === 'index.md')
      Object.assign(frontmatter, {
        sidebar: false,
        aside: false,
        prev: false,
        next: false,
        pageClass: 'home',
      });
    if (relativePath === 'playground.md') frontmatter.aside = false;
  },
  vite: {
    plugins: [vueOfSite],
    resolve: {
      alias: [
        { find: 'softmax-native/wasm', replacement: at('../../dist/web/wasm.mjs') },
        { find: 'softmax-native/js', replacement: at('../../dist/web/js.mjs') },
      ],
    },
    // The WebAssembly module is text in a chunk of its own, which only the playground loads.
    build: { chunkSizeWarningLimit: 1500 },
    server: { fs: { allow: [at('../..')] } },
  },
});
