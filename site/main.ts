// npm run site: prepares the site and serves it, with changes as they are saved.
// npm run site:build: writes it to build/site as static files; -- --base /softmax-native/ for a server's sub-path.

import { prepare, run, site, tool } from './prepare.js';

const [command = 'dev', ...args] = process.argv.slice(2);
prepare();
run(site, tool('vitepress'), command, '.', ...args);
