// Next.js with `output: 'standalone'`: the folder that it gathers, moved away from the package, serves native code.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { check } from './checks.mjs';
import { expectNative } from './expectations.mjs';
import { appFolder, apps, prebuild, run, scratch } from './stage.mjs';

/** Without being named as external the package becomes a part of the server that webpack makes in Next.js 15: JavaScript. */
const cases = [
  ['next-15', 'yes'],
  ['next-16', 'yes'],
  ['next-16', 'no'],
];

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** What a standalone server answers. */
async function answer(folder) {
  const port = await freePort();
  const env = { ...process.env, PORT: String(port), HOSTNAME: '127.0.0.1' };
  const server = spawn(process.execPath, ['server.js'], { cwd: folder, env, stdio: 'ignore' });
  try {
    for (let attempt = 0; attempt < 100 && server.exitCode === null; attempt++) {
      await setTimeout(200);
      const response = await fetch(`http://127.0.0.1:${port}/api`).catch(() => undefined);
      if (response?.ok) return await response.json();
    }
    throw new Error(`${folder} does not answer, exit code ${server.exitCode}`);
  } finally {
    server.kill();
  }
}

async function checkStandalone(stage, name, external) {
  const folder = appFolder(stage, name, `${name}-${external}`);
  mkdirSync(join(folder, 'app/api'), { recursive: true });
  copyFileSync(join(apps, 'next/route.js'), join(folder, 'app/api/route.js'));
  copyFileSync(join(apps, 'next/next.config.js'), join(folder, 'next.config.js'));
  const env = { EXTERNAL: external, NEXT_TELEMETRY_DISABLED: '1' };
  run(process.execPath, ['node_modules/next/dist/bin/next', 'build'], { cwd: folder, env });
  const moved = join(scratch, `${name}-${external}-standalone`);
  renameSync(join(folder, '.next/standalone'), moved);
  rmSync(folder, { recursive: true });
  return expectNative(await answer(moved), join(moved, 'node_modules/softmax-native', prebuild));
}

export async function next(stage, isQuick) {
  if (isQuick) return;
  for (const [name, external] of cases)
    await check(`${name}, standalone, serverExternalPackages ${external}: serves native code`, () =>
      checkStandalone(stage, name, external),
    );
}
