// Fails, with a line for each fault, unless the prebuilt binaries are what docs/releasing.md promises.
//   node checks/audit/main.mjs [--directory prebuilds] [platform...]
// The platforms that have to be there, and no others: the arguments, else SOFTMAX_PREBUILDS (commas between), else all.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { audit } from './audit.mjs';
import { expectedPlatforms } from './platforms.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    directory: { type: 'string', default: fileURLToPath(new URL('../../prebuilds', import.meta.url)) },
  },
});
const fromEnvironment = (process.env.SOFTMAX_PREBUILDS ?? '').split(',').filter((name) => name !== '');

try {
  const expected = expectedPlatforms(positionals.length > 0 ? positionals : fromEnvironment);
  const { faults, binaries } = audit(resolve(values.directory), expected);
  for (const fault of faults) console.error(`audit: ${fault}`);
  for (const { platform, needed } of binaries)
    console.log(`audit: ${platform} needs ${needed.sort().join(', ')}`);
  console.log(`audit: ${binaries.length} of ${expected.length} binaries, ${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`audit: ${error.message}`);
  process.exitCode = 1;
}
