// jest, whose environments have not all of Node's globals: every function, also asynchronously.
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allSignatures } from '../../build/signatures.mjs';
import { check } from './checks.mjs';
import { appFolder, apps, run } from './stage.mjs';

const environments = ['node', 'jsdom', '@happy-dom/jest-environment'];

export async function jest(stage, isQuick) {
  if (isQuick) return;
  const folder = appFolder(stage, 'jest', 'jest');
  copyFileSync(join(apps, 'jest/calls.test.js'), join(folder, 'calls.test.js'));
  writeFileSync(join(folder, 'signatures.json'), JSON.stringify(allSignatures));
  for (const environment of environments)
    for (const kind of ['native', 'js'])
      await check(`jest, ${environment}: softmax-native/${kind}, sync and async`, () => {
        const args = ['node_modules/jest/bin/jest.js', `--env=${environment}`, '--silent'];
        const env = { ENTRY: `softmax-native/${kind}`, EXPECTED: kind };
        run(process.execPath, args, { cwd: folder, env });
      });
}
