// Workflows that GitHub runs with our rights: they parse, run pinned actions with few permissions, and name scripts that exist.
//   node checks/workflows.mjs [directory]   by default .github
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocument, visit } from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const github = process.argv[2] ?? join(root, '.github');

/** Each [key, value, comment behind it, map around it] of a document, whatever its depth. */
function listPairs(document) {
  const pairs = [];
  visit(document, {
    Pair(_, pair, path) {
      pairs.push({
        key: pair.key?.value,
        value: pair.value?.toJSON?.(),
        comment: pair.value?.comment,
        map: path.at(-1),
      });
    },
  });
  return pairs;
}

function checkUse({ value, comment, map }) {
  if (value.startsWith('./')) return existsSync(join(github, '..', value)) ? [] : [`${value} does not exist`];
  const isPinned = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/.test(value) && /^ v\d+\.\d+\.\d+$/.test(comment ?? '');
  const options = map.toJSON().with ?? {};
  const keepsToken = value.startsWith('actions/checkout@') && options['persist-credentials'] !== false;
  return [
    ...(isPinned ? [] : [`${value} is not pinned: a commit, and its version as a comment (# v1.2.3)`]),
    ...(keepsToken ? ['actions/checkout without persist-credentials: false'] : []),
  ];
}

function checkRun(command) {
  const named = [...command.matchAll(/npm run (?:--?\S+ )*([\w:-]+)/g)].map(([, name]) => name);
  return [
    ...(command.includes('$' + '{{') ? [`an expression in «${command.trim()}»: give it by env`] : []),
    ...named.filter((name) => !(name in scripts)).map((name) => `npm run ${name}: there is no such script`),
  ];
}

function checkPermissions({ permissions, jobs = {} }) {
  const granted = [permissions, ...Object.values(jobs).map((job) => job.permissions)];
  const untimed = Object.entries(jobs).filter(([, job]) => !job.uses && !job['timeout-minutes']);
  return [
    ...(permissions === undefined ? ['has no permissions at its top level'] : []),
    ...(Object.values(permissions ?? {}).includes('write') ? ['may write in all of its jobs'] : []),
    ...(granted.some((permission) => typeof permission === 'string') ? ['has permissions of all kinds'] : []),
    ...untimed.map(([name]) => `job ${name} has no timeout-minutes`),
  ];
}

function checkWorkflow(text) {
  const document = parseDocument(text);
  if (document.errors.length > 0) return document.errors.map(({ message }) => message.split('\n')[0]);
  const pairs = listPairs(document);
  return [
    ...checkPermissions(document.toJSON()),
    ...pairs.filter(({ key }) => key === 'uses').flatMap(checkUse),
    ...pairs
      .filter(({ key, value }) => key === 'run' && typeof value === 'string')
      .flatMap(({ value }) => checkRun(value)),
  ];
}

/** An action has one commit in all workflows. */
function checkVersions(texts) {
  const commits = new Map();
  for (const text of texts)
    for (const [, action, commit] of text.matchAll(/uses: (\S+)@([0-9a-f]{40})/g))
      commits.set(action, (commits.get(action) ?? new Set()).add(commit));
  return [...commits].filter(([, all]) => all.size > 1).map(([action]) => `${action} has several versions`);
}

const names = readdirSync(join(github, 'workflows')).filter((name) => /\.ya?ml$/.test(name));
const texts = names.map((name) => readFileSync(join(github, 'workflows', name), 'utf8'));
const problems = [
  ...names.flatMap((name, i) => checkWorkflow(texts[i]).map((problem) => `${name}: ${problem}`)),
  ...checkVersions(texts),
];
for (const problem of problems) console.error(`workflows: ${problem}`);
console.log(`workflows: ${names.length} files, ${problems.length} problems`);
process.exitCode = names.length > 0 && problems.length === 0 ? 0 : 1;
