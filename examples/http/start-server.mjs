// Starts the server in a process of its own, on a free port of this machine.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('measured-server.mjs', import.meta.url));

/** `variables`: of its environment. */
export async function startServer(variables) {
  const child = fork(program, { env: { ...process.env, ...variables } });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the server ended with ${code}`);
  });
  const [ready] = await Promise.race([once(child, 'message'), failed]);
  failed.catch(() => {});
  return { ...ready, stop: () => child.disconnect() };
}
