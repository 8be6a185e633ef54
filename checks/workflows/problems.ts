// What a workflow must not do, or not without saying it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, isNode, isScalar, parseDocument, visit, type YAMLMap } from 'yaml';
import { root } from '../../tools/front-door/builds.js';
import { ci, groups } from '../checks.js';

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const checks = [ci, ...groups].flatMap(({ name, tasks }) => [name, ...tasks.map((task) => task.name)]);

interface Pair {
  readonly key: unknown;
  readonly value: unknown;
  /** The comment behind the value. */
  readonly comment: string | null | undefined;
  /** The map around it. */
  readonly map: YAMLMap;
}
interface Job {
  readonly permissions?: Record<string, string> | string;
  readonly uses?: string;
  readonly 'timeout-minutes'?: number;
}
interface Workflow {
  readonly permissions?: Record<string, string> | string;
  readonly jobs?: Record<string, Job>;
}

/** Each pair of a document, whatever its depth. */
function listPairs(document: Document): Pair[] {
  const pairs: Pair[] = [];
  visit(document, {
    Pair(_, { key, value }, path) {
      pairs.push({
        key: isScalar(key) ? key.value : undefined,
        value: isNode(value) ? value.toJS(document) : undefined,
        comment: isNode(value) ? value.comment : undefined,
        map: path.at(-1) as YAMLMap,
      });
    },
  });
  return pairs;
}

function checkUse(document: Document, github: string, { value, comment, map }: Pair): string[] {
  const action = String(value);
  if (action.startsWith('./'))
    return existsSync(join(github, '..', action)) ? [] : [`${action} does not exist`];
  const isPinned = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/.test(action) && /^ v\d+\.\d+\.\d+$/.test(comment ?? '');
  const options = map.toJS(document).with ?? {};
  const keepsToken = action.startsWith('actions/checkout@') && options['persist-credentials'] !== false;
  return [
    ...(isPinned ? [] : [`${action} is not pinned: a commit, and its version as a comment (# v1.2.3)`]),
    ...(keepsToken ? ['actions/checkout without persist-credentials: false'] : []),
  ];
}

function checkRun(command: string): string[] {
  const named = [...command.matchAll(/npm run (?:--?\S+ )*([\w:-]+)((?: [a-z][\w-]*)*)/g)];
  const unknownScripts = named.filter(([, name = '']) => !(name in scripts));
  // The first is a check; others may be its arguments.
  const unknownChecks = named.flatMap(([, name, words = '']) => {
    const check = words.trim().split(' ')[0] as string;
    return name === 'check' && !checks.includes(check) ? [check] : [];
  });
  return [
    ...(command.includes('$' + '{{') ? [`an expression in «${command.trim()}»: give it by env`] : []),
    ...unknownScripts.map(([, name]) => `npm run ${name}: there is no such script`),
    ...unknownChecks.map((name) => `npm run check ${name}: there is no such check`),
  ];
}

function checkPermissions({ permissions, jobs = {} }: Workflow): string[] {
  const granted = [permissions, ...Object.values(jobs).map((job) => job.permissions)];
  const untimed = Object.entries(jobs).filter(([, job]) => !job.uses && !job['timeout-minutes']);
  return [
    ...(permissions === undefined ? ['has no permissions at its top level'] : []),
    ...(Object.values(permissions ?? {}).includes('write') ? ['may write in all of its jobs'] : []),
    ...(granted.some((permission) => typeof permission === 'string') ? ['has permissions of all kinds'] : []),
    ...untimed.map(([name]) => `job ${name} has no timeout-minutes`),
  ];
}

function checkWorkflow(text: string, github: string): string[] {
  const document = parseDocument(text);
  if (document.errors.length > 0)
    return document.errors.map(({ message }) => message.split('\n')[0] as string);
  const pairs = listPairs(document);
  return [
    ...checkPermissions(document.toJS()),
    ...pairs.filter(({ key }) => key === 'uses').flatMap((pair) => checkUse(document, github, pair)),
    ...pairs.flatMap(({ key, value }) => (key === 'run' && typeof value === 'string' ? checkRun(value) : [])),
  ];
}

/** An action has one commit in all workflows. */
function checkVersions(texts: readonly string[]): string[] {
  const commits = new Map<string, Set<string>>();
  for (const text of texts)
    for (const [, action = '', commit = ''] of text.matchAll(/uses: (\S+)@([0-9a-f]{40})/g))
      commits.set(action, (commits.get(action) ?? new Set()).add(commit));
  return [...commits].filter(([, all]) => all.size > 1).map(([action]) => `${action} has several versions`);
}

/** How many files there are in a directory like .github, and what is wrong with them. */
export function lookAt(github: string): { files: number; problems: readonly string[] } {
  const names = readdirSync(join(github, 'workflows')).filter((name) => /\.ya?ml$/.test(name));
  const texts = names.map((name) => readFileSync(join(github, 'workflows', name), 'utf8'));
  const ofEach = texts.flatMap((text, i) =>
    checkWorkflow(text, github).map((problem) => `${names[i]}: ${problem}`),
  );
  return { files: names.length, problems: [...ofEach, ...checkVersions(texts)] };
}
