import { afterAll } from 'vitest';

afterAll(() => {
  (globalThis as { __softmaxNativeCounts?: () => void }).__softmaxNativeCounts?.();
});
