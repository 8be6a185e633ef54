// npm run check: lists the checks, and runs them by their names.

import { open } from '../tools/front-door/main.js';
import { ci, groups } from './checks.js';

await open({
  name: 'check',
  groups,
  ci,
  more: [
    'npm test runs the suite. npm run check ci runs what .ci/run does after it: the quick part of most checks.',
    'Times are of two cores, without builds, which a check makes first where they are missing or old.',
  ],
});
