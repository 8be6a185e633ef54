// What every page runs: the case that its address names. Its result goes to the server, which says what page comes next.
import { probe, textOf } from './probe.mjs';
import { race } from './race.mjs';

function probeInWorker(given) {
  const worker = new Worker(`/checks/browser/pages/worker.mjs${location.search}`, { type: 'module' });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(data.error) : resolve(data.found));
    worker.onerror = ({ message }) => reject(new Error(`the worker: ${message}`));
    worker.postMessage(given);
  }).finally(() => worker.terminate());
}

const runs = { page: probe, worker: probeInWorker, race };

const { run, ...given } = JSON.parse(new URLSearchParams(location.search).get('case'));
let result;
try {
  result = { found: await runs[run](given) };
} catch (error) {
  result = { error: textOf(error) };
}
const answer = await fetch('/report', { method: 'POST', body: JSON.stringify(result) });
const { next } = await answer.json();
if (next) location.assign(next);
