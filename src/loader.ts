// Finds and loads the native addon.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Engine } from './async.js';
import { nativeJobs } from './native-jobs.js';
import { type NativeFunctions, nativeKernels } from './native-kernels.js';
import type { Threads } from './threads.js';

/** native/addon/addon.cc has the same number; it is raised with every change of the functions' arguments. */
const interfaceVersion = 5;
/** The Node-API version the addon is built for. Loading it into an older runtime would end the process. */
const nodeApiVersion = 8;

interface Addon {
  readonly interfaceVersion: number;
  /** ISAs this CPU can run, best first. */
  readonly supported: readonly string[];
  kernelsOf(isa: string): NativeFunctions | undefined;
  /** Of the process. */
  getThreads(): number;
  setThreads(threads: number, isDefault: boolean): void;
}

export interface LoadedAddon {
  readonly path: string;
  readonly supported: readonly string[];
  readonly threads: Threads;
  engineOf(isa: string): Engine;
}

/** Why there is no native backend; `isMissing` when there was simply no file to load. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  readonly isMissing: boolean;

  constructor(message: string, isMissing: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.isMissing = isMissing;
  }
}

export function loadAddon(): LoadedAddon {
  const available = Number(process.versions.napi);
  if (!(available >= nodeApiVersion))
    throw new LoadError(`this runtime has Node-API ${available}, version ${nodeApiVersion} is needed`, false);
  const path = fileURLToPath(new URL('../build/Release/softmax_native.node', import.meta.url));
  if (!existsSync(path)) throw new LoadError(`there is no native build at ${path}`, true);
  let addon: Addon;
  try {
    addon = createRequire(import.meta.url)(path);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new LoadError(`${path} does not load: ${message}`, false, cause);
  }
  if (addon.interfaceVersion !== interfaceVersion) {
    const found = `interface version ${addon.interfaceVersion}, not ${interfaceVersion}`;
    throw new LoadError(`${path} is of another release: it has ${found}`, false);
  }
  return {
    path,
    supported: addon.supported,
    threads: {
      get: () => addon.getThreads(),
      set: (threads) => addon.setThreads(threads, false),
      setDefault: (threads) => addon.setThreads(threads, true),
    },
    engineOf(isa) {
      const functions = addon.kernelsOf(isa);
      if (functions === undefined) throw new LoadError(`${path} has no kernels for ${isa}`, false);
      const kernels = nativeKernels(functions);
      return { kernels, jobs: nativeJobs(functions, kernels) };
    },
  };
}
