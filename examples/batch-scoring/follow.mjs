// A scoring from its beginning to its end, as its producer sees it.

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Mistake } from './mistake.mjs';
import { isDone, partialOf, prepare } from './scoring.mjs';

const tick = 200;

/** Adds what is not there yet, and tries again what failed. False: all is done already. */
async function begin(scorings, described, force) {
  const { scoring } = described;
  const { id, out } = scoring;
  const last = await scorings.last(id);
  const state = await last?.getState();
  if (state === 'completed' && (await isDone(scoring, last.returnvalue.written))) return false;
  // The last step is about to say that it is done.
  const isNamed =
    ['waiting', 'active', 'delayed'].includes(state) && existsSync(out) && !existsSync(partialOf(scoring));
  if (!isNamed) {
    if (existsSync(out) && !force) throw new Mistake(`${out}: it exists: --force replaces it`);
    // Its output was removed, or is another's.
    if (state === 'completed') await scorings.remove(id);
    await prepare(scoring);
  }
  // Also if it is there: the one who added it may not have come to its end.
  await scorings.add(described);
  await scorings.retryDead(id);
  return true;
}

/**
 * Until all is done, or nothing is left but what failed for good. What is added is given back: `isNew`, whether there was
 * anything to do, `dead` jobs, `parts` that jobs gave, `repaired`.
 */
export async function follow(scorings, described, { force = false, report = () => {} } = {}) {
  const { scoring } = described;
  const isNew = await begin(scorings, described, force);
  for (;;) {
    const now = await scorings.progress(scoring.id);
    if (now === undefined) {
      // Another found its output gone and removed it, or Redis lost its last second.
      await scorings.add(described);
      continue;
    }
    report(now);
    if (now.state === 'completed') break;
    const isOver = now.state === 'failed' || (now.dead > 0 && now.dead === now.left);
    if (isOver) return { isNew, dead: await scorings.dead(scoring.id), parts: [] };
    await sleep(tick);
  }
  // One who came late made it anew.
  await rm(partialOf(scoring), { force: true });
  const last = await scorings.last(scoring.id);
  const parts = Object.values(await last.getChildrenValues());
  return { isNew, dead: [], parts, repaired: last.returnvalue.repaired };
}
