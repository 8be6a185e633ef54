// A module worker: it probes what its page asks for.
import { probe, textOf } from './probe.mjs';

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ found: await probe(data) });
  } catch (error) {
    self.postMessage({ error: textOf(error) });
  }
};
