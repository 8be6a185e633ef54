// The faults: patches with a head of their own.
//   NN-name.patch   What is wrong: …          one sentence
//                   Part: kernels | tails | trees | bindings | options | runtime | javascript | cli | …
//                   Instruction sets: avx2    kernels only: whose objects are compiled with the fault
//                   Needs: dist               tests of the built package
//                   Quick: yes                one of those of --quick
//                   Tests: avx2 test/same-bits.test.ts    likeliest to see it; a project and files, one line per project
//                   a unified diff
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const directory = fileURLToPath(new URL('patches/', import.meta.url));

function readPatch(name) {
  const path = `${directory}${name}`;
  const text = readFileSync(path, 'utf8');
  const [head] = text.split(/^diff --git /m, 1);
  const fieldsOf = (field) =>
    [...head.matchAll(new RegExp(`^${field}: (.*)$`, 'gm'))].map(([, value]) => value.trim());
  const [what] = fieldsOf('What is wrong');
  const [part] = fieldsOf('Part');
  const tests = fieldsOf('Tests').map((line) => {
    const [project, ...files] = line.split(' ');
    return { project, files };
  });
  if (!what || !part || tests.length === 0)
    throw new Error(`${name}: its head lacks What is wrong, Part or Tests`);
  const files = [...text.matchAll(/^\+\+\+ b\/(.*)$/gm)].map(([, file]) => file);
  const instructionSets = fieldsOf('Instruction sets').flatMap((value) => value.split(' '));
  if (instructionSets.length === 0 && files.some((file) => /^native\/(?:kernels|vec|isa)\//.test(file)))
    throw new Error(`${name}: its head lacks Instruction sets: nothing would be compiled with the fault`);
  return {
    number: name.slice(0, name.indexOf('-')),
    name: name.slice(name.indexOf('-') + 1, -'.patch'.length),
    path,
    what,
    part,
    instructionSets,
    needsDist: fieldsOf('Needs').includes('dist'),
    isQuick: fieldsOf('Quick').includes('yes'),
    tests,
    files,
  };
}

export const readPatches = () =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.patch'))
    .sort()
    .map(readPatch);
