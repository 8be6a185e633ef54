// What is used of the runtime where that is not Node: platform.ts by the globals that browsers and others have.

type Platform = typeof import('./platform.js');
interface Timer {
  unref(): void;
}

const globals = globalThis as unknown as {
  readonly crypto: { getRandomValues: Platform['getRandomValues'] };
  readonly performance: Platform['performance'];
  readonly setImmediate?: Platform['setImmediate'];
  readonly setTimeout?: (run: () => void, milliseconds: number) => number | Timer;
  readonly MessageChannel?: new () => {
    readonly port1: { onmessage: () => void };
    readonly port2: { postMessage(message: unknown): void };
  };
};

export const { performance } = globals;
export const getRandomValues = ((array) =>
  globals.crypto.getRandomValues(array)) as Platform['getRandomValues'];

/** Browsers' timers have numbers, which keep nothing alive. */
export const setTimeout = (globals.setTimeout &&
  ((run: () => void, milliseconds: number) => {
    const timer = globals.setTimeout?.(run, milliseconds);
    return typeof timer === 'number' ? { unref() {} } : timer;
  })) as Platform['setTimeout'];

const waiting: (() => void)[] = [];
let post: ((message: unknown) => void) | undefined;

/** By a message where there is no such timer: browsers make others wait for four milliseconds. */
function byMessage(run: () => void): void {
  const { MessageChannel: Channel } = globals;
  if (Channel === undefined) {
    globals.setTimeout?.(run, 0);
    return;
  }
  if (post === undefined) {
    const { port1, port2 } = new Channel();
    port1.onmessage = () => waiting.shift()?.();
    post = (message) => port2.postMessage(message);
  }
  waiting.push(run);
  post(0);
}
export const setImmediate = (globals.setImmediate ?? byMessage) as Platform['setImmediate'];

// Memory that is not filled with zeros, and messages that are received at once, Node alone has.
export const allocUnsafeSlow = (() => {
  throw new Error('there is no Buffer');
}) as Platform['allocUnsafeSlow'];
export const workerThreads = (() => ({})) as unknown as Platform['workerThreads'];
