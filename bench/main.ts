// npm run bench: lists the benchmarks, and runs them by their names. Options alone are those of `calls`.

import { open } from '../tools/front-door/main.js';
import { isOption } from '../tools/front-door/task.js';
import { benches } from './benches.js';

const [first] = process.argv.slice(2);
if (first !== undefined && isOption(first) && !['--help', '-h'].includes(first))
  process.argv.splice(2, 0, 'calls');

await open({
  name: 'bench',
  groups: [benches],
  more: ['npm run bench -- --quick is npm run bench calls -- --quick'],
});
