// Bundlers, and what gathers the files of a serverless function: they run natively where the package or its prebuilds are
// in reach, and in JavaScript, with the reason, where a bundle was moved away from them.
import { cpSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { check, expectEqual } from './checks.mjs';
import { consume, expectFallback, expectNative } from './expectations.mjs';
import { copyOfInstalled, prebuild, scratch } from './stage.mjs';

const require = createRequire(import.meta.url);

// What a bundler warns of counts as a failure: none of it may be of this package's making.

async function byEsbuild(folder, entry, format, outfile, options = {}) {
  const { build } = await import('esbuild');
  const files = { absWorkingDir: folder, entryPoints: [entry], outfile };
  const { warnings } = await build({
    ...files,
    bundle: true,
    platform: 'node',
    format,
    logLevel: 'silent',
    ...options,
  });
  expectEqual(warnings, []);
}

async function byWebpack(folder, entry, filename, externals = []) {
  const isModule = filename.endsWith('.mjs');
  const { default: webpack } = await import('webpack');
  const stats = await new Promise((resolve, reject) =>
    webpack(
      {
        mode: 'production',
        target: 'node20',
        context: folder,
        entry,
        externals,
        output: { path: folder, filename, ...(isModule && { module: true, chunkFormat: 'module' }) },
        experiments: isModule ? { outputModule: true } : {},
      },
      (error, result) => (error === null ? resolve(result) : reject(error)),
    ),
  );
  const said = stats.toString({ all: false, errors: true, warnings: true });
  expectEqual(said, '');
}

async function byVite(folder, entry, file, noExternal = true) {
  const { build } = await import('vite');
  const output = { format: file.endsWith('.cjs') ? 'cjs' : 'es', entryFileNames: file.replace(/^out\//, '') };
  const onwarn = ({ message }) => {
    throw new Error(message);
  };
  await build({
    root: folder,
    logLevel: 'error',
    configFile: false,
    ssr: { noExternal },
    build: { ssr: entry, outDir: 'out', emptyOutDir: false, rollupOptions: { output, onwarn } },
  });
}

/** What each makes of a consumer, and the file it writes. */
const bundles = [
  ['esbuild to ES modules', 'out/esbuild.mjs', (f, to) => byEsbuild(f, 'consumer.mjs', 'esm', to)],
  // In this one `import.meta.url` is undefined.
  ['esbuild to CommonJS', 'out/esbuild.cjs', (f, to) => byEsbuild(f, 'consumer.mjs', 'cjs', to)],
  ['esbuild, require', 'out/required.cjs', (f, to) => byEsbuild(f, 'consumer.cjs', 'cjs', to)],
  [
    'esbuild, minified',
    'out/small.mjs',
    (f, to) => byEsbuild(f, 'consumer.mjs', 'esm', to, { minify: true }),
  ],
  ['webpack to ES modules', 'out/webpack.mjs', (f, to) => byWebpack(f, './consumer.mjs', to)],
  ['webpack to CommonJS', 'out/webpack.cjs', (f, to) => byWebpack(f, './consumer.mjs', to)],
  ['webpack, require', 'out/webpack-required.cjs', (f, to) => byWebpack(f, './consumer.cjs', to)],
  ['vite to ES modules', 'out/vite.mjs', (f, to) => byVite(f, 'consumer.mjs', to)],
  ['vite to CommonJS', 'out/vite.cjs', (f, to) => byVite(f, 'consumer.mjs', to)],
];
/** The same with the package marked as external. */
const externals = [
  [
    'esbuild',
    'out/esbuild-external.mjs',
    (f, to) => byEsbuild(f, 'consumer.mjs', 'esm', to, { external: ['softmax-native'] }),
  ],
  [
    'webpack',
    'out/webpack-external.cjs',
    (f, to) => byWebpack(f, './consumer.mjs', to, [{ 'softmax-native': 'commonjs softmax-native' }]),
  ],
  ['vite', 'out/vite-external.mjs', (f, to) => byVite(f, 'consumer.mjs', to, [])],
];

/** The bundle beside the package; moved away from it, which is moved as well; and with the prebuilds copied to it. */
async function checkBundle(folder, name, file, build) {
  const packageFolder = join(folder, 'node_modules/softmax-native');
  const at = join(packageFolder, prebuild);
  await check(`${name}: bundles, and runs natively beside node_modules`, async () => {
    await build(folder, file);
    expectNative(consume(folder, file), at);
  });
  const moved = join(scratch, 'moved', file.replace(/\W/g, '-'));
  mkdirSync(join(moved, 'out'), { recursive: true });
  const copy = join(moved, file);
  const hidden = `${packageFolder}-hidden`;
  renameSync(packageFolder, hidden);
  try {
    await check(`${name}: moved away, in JavaScript with the reason`, () => {
      cpSync(join(folder, file), copy);
      const happened = `softmax-native is bundled into ${copy}, which finds no native code`;
      const remedy = `mark softmax-native as external, or copy its folder prebuilds to ${join(moved, 'prebuilds')}`;
      expectFallback(consume(moved, file), `${happened}; ${remedy}`, true);
    });
    await check(`${name}: moved away with the prebuilds, natively`, () => {
      cpSync(join(hidden, 'prebuilds'), join(moved, 'prebuilds'), { recursive: true });
      expectNative(consume(moved, file), join(moved, prebuild));
    });
    // Webpack's ES modules do not know where they are: it writes down where their source was.
    if (file === 'out/webpack.mjs') return;
    await check(`${name}: moved with the prebuilds and imported by a program elsewhere, natively`, () => {
      const flags = ['--input-type=module', '--eval'];
      expectNative(
        consume(scratch, `await import(${JSON.stringify(copy)})`, { flags }),
        join(moved, prebuild),
      );
    });
  } finally {
    renameSync(hidden, packageFolder);
  }
}

async function checkTracing(folder, consumer) {
  await check(`@vercel/nft, ${consumer}: a copy of the files it lists runs natively`, async () => {
    const { nodeFileTrace } = require('@vercel/nft');
    const { fileList } = await nodeFileTrace([join(folder, consumer)], { base: folder });
    const copy = join(scratch, `traced-${consumer}`);
    for (const file of fileList) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      cpSync(join(folder, file), join(copy, file));
    }
    expectNative(consume(copy, consumer), join(copy, 'node_modules/softmax-native', prebuild));
    return `${fileList.size} files`;
  });
}

export async function bundlers(stage, isQuick) {
  const folder = copyOfInstalled(stage, 'bundled');
  const quick = ['out/esbuild.mjs', 'out/esbuild.cjs', 'out/webpack.cjs', 'out/vite.mjs'];
  for (const [name, file, build] of bundles.filter(([, file]) => !isQuick || quick.includes(file)))
    await checkBundle(folder, name, file, build);
  for (const [name, file, build] of externals)
    await check(`${name}, external: runs natively`, async () => {
      await build(folder, file);
      expectNative(consume(folder, file), join(folder, 'node_modules/softmax-native', prebuild));
    });
  for (const consumer of ['consumer.mjs', 'consumer.cjs']) await checkTracing(folder, consumer);
}
