// softmax-native/wasm and softmax-native/js where there is no native code: bundles of them in a browser, a worker of workerd,
// the files that a serverless function is given, Deno and Bun. All have the pinned bits.
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { visit } from '../browser/visit.mjs';
import { check, expectEqual, expectMatch, skip } from './checks.mjs';
import { consume, hash } from './expectations.mjs';
import { bun, copyOfInstalled, deno, root, run, scratch, workerd } from './stage.mjs';

const require = createRequire(import.meta.url);
const entry = 'web.mjs';

async function byEsbuild(folder, outfile, options) {
  const { build } = await import('esbuild');
  const files = { absWorkingDir: folder, entryPoints: [entry], outfile };
  const { warnings } = await build({ ...files, bundle: true, logLevel: 'silent', ...options });
  expectEqual(warnings, []);
}

async function byWebpack(folder, file) {
  const { default: webpack } = await import('webpack');
  const output = { path: dirname(join(folder, file)), filename: 'main.js' };
  const settings = { mode: 'production', target: 'web', context: folder, entry: `./${entry}`, output };
  const stats = await new Promise((resolve, reject) =>
    // The module's text is larger than what webpack thinks of as good for a page.
    webpack({ ...settings, performance: false }, (error, result) =>
      error === null ? resolve(result) : reject(error),
    ),
  );
  expectEqual(stats.toString({ all: false, errors: true, warnings: true }), '');
}

const onwarn = ({ message }) => {
  throw new Error(message);
};

async function byVite(folder, file) {
  const { build } = await import('vite');
  const options = { input: entry, output: { entryFileNames: 'main.js' }, onwarn };
  const outDir = dirname(file);
  // It says on standard error how large the text is, and goes on.
  const limits = { chunkSizeWarningLimit: 2000 };
  await build({
    ...{ root: folder, configFile: false, logLevel: 'error' },
    build: { ...limits, outDir, rolldownOptions: options },
  });
}

async function byRolldown(folder, file) {
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({ cwd: folder, input: entry, platform: 'browser', onwarn });
  await bundle.write({ file: join(folder, file) });
}

/** What each makes of a page's program. */
const bundlers = {
  esbuild: (folder, file) => byEsbuild(folder, file, { format: 'esm' }),
  'esbuild, minified to a script': (folder, file) =>
    byEsbuild(folder, file, { format: 'iife', minify: true }),
  webpack: byWebpack,
  vite: byVite,
  rolldown: byRolldown,
};

const types = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** Builds with each of them, and then has one browser run all that could be built. */
async function inBrowser(folder) {
  const built = [];
  for (const [name, build] of Object.entries(bundlers))
    await check(`${name}: bundles for browsers, without a warning`, async () => {
      const directory = `out-${built.length}`;
      await build(folder, `${directory}/main.js`);
      built.push({ name, directory });
    });
  const answer = (path) => {
    const [, directory, file] = path.split('/');
    if (file === undefined)
      return {
        type: 'text/html',
        body: `<!doctype html><script type="module" src="/${directory}/main.js"></script>`,
      };
    if (!/^out-\d+$/.test(directory)) return undefined;
    return { type: types[extname(file)], body: readFileSync(join(folder, directory, file)) };
  };
  const reports = [];
  const addresses = built.map(({ directory }) => `/${directory}`);
  const problem = await visit('chromium', addresses, answer, (index, { found }) => {
    reports[index] = found;
  });
  for (const [index, { name }] of built.entries())
    await check(`${name}: runs in Chromium`, () => {
      if (reports[index] === undefined) throw new Error(problem);
      expectEqual(reports[index], [
        { kind: 'wasm', hash },
        { kind: 'js', hash },
      ]);
    });
}

/** Dates before and after which workers compile as they start. */
const dates = { '2025-05-01': 'js', '2026-01-01': 'wasm' };

async function inWorkerd(folder) {
  const consumer = 'worker.mjs';
  await byEsbuild(folder, 'out-worker/main.mjs', {
    ...{ entryPoints: [consumer], format: 'esm', external: ['*.wasm'] },
    conditions: ['workerd', 'worker', 'browser'],
  });
  const module = 'softmax-simd.wasm';
  copyFileSync(
    join(folder, `node_modules/softmax-native/dist/${module}`),
    join(folder, 'out-worker', module),
  );
  for (const [date, before] of Object.entries(dates))
    await check(`workerd of ${date}: ${before}, and WebAssembly after init(module)`, () => {
      const modules = `(name = "main", esModule = embed "main.mjs"), (name = "${module}", wasm = embed "${module}")`;
      const worker = `(modules = [${modules}], compatibilityDate = "${date}")`;
      writeFileSync(
        join(folder, 'out-worker/config.capnp'),
        `using Workerd = import "/workerd/workerd.capnp";
        const config :Workerd.Config = (services = [(name = "main", worker = ${worker})]);`,
      );
      const said = run(workerd, ['test', 'config.capnp'], { cwd: join(folder, 'out-worker') });
      const found = JSON.parse(/^\{.*\}$/m.exec(said)[0]);
      expectEqual(
        [found.before, found.after],
        [
          { kind: before, hash },
          { kind: 'wasm', hash },
        ],
      );
      if (before === 'js')
        expectMatch(found.reason, /this runtime forbids to compile it; give init\(\) the module/);
    });
}

async function traced(folder) {
  await check('@vercel/nft: a copy of the files it lists runs in WebAssembly', async () => {
    const { nodeFileTrace } = require('@vercel/nft');
    const { fileList } = await nodeFileTrace([join(folder, 'traced.mjs')], { base: folder });
    const copy = join(scratch, 'traced-wasm');
    for (const file of fileList) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      cpSync(join(folder, file), join(copy, file));
    }
    const { kind, hash: found } = consume(copy, 'traced.mjs');
    expectEqual({ kind, hash: found }, { kind: 'wasm', hash });
    return `${fileList.size} files`;
  });
}

/** All pinned bits, on each entry point of each runtime. */
async function inRuntimes(folder) {
  for (const file of ['corpus.mjs', 'corpus-hashes.json'])
    copyFileSync(join(root, 'test/helpers', file), join(folder, file));
  const runtimes = [
    ['Deno without permissions', deno, ['run', '--no-prompt']],
    ['Bun', bun, []],
  ];
  const cases = [
    [['softmax-native/wasm'], 'wasm'],
    [['softmax-native/wasm', '--no-relaxed-simd'], 'wasm'],
    [['softmax-native/js'], 'js'],
  ];
  const env = { DENO_DIR: join(scratch, 'deno'), DENO_NO_UPDATE_CHECK: '1' };
  for (const [name, program, flags] of runtimes)
    for (const [args, kind] of cases)
      await check(`${name}, ${args.join(' ')}: the pinned bits`, () => {
        const found = JSON.parse(run(program, [...flags, 'bits.mjs', ...args], { cwd: folder, env }));
        expectEqual([found.kind, found.wrong], [kind, []]);
        return `${found.isa ?? kind}, ${found.hashes} hashes`;
      });
}

export async function web(stage, isQuick) {
  const folder = copyOfInstalled(stage, 'web');
  for (const file of ['web.mjs', 'worker.mjs', 'bits.mjs', 'traced.mjs'])
    copyFileSync(fileURLToPath(new URL(`consumers/${file}`, import.meta.url)), join(folder, file));
  await inBrowser(folder);
  await traced(folder);
  if (process.platform === 'linux') await inWorkerd(folder);
  else skip('workerd', 'its place is known on Linux alone');
  if (!isQuick) await inRuntimes(folder);
}
