// Loads the native addon.

import { findAddon } from '../../addon-file.js';
import { process } from '../../node-modules.js';
import type { Engine } from '../jobs.js';
import type { Threads } from '../threads.js';
import { nativeJobs } from './jobs.js';
import { type NativeFunctions, nativeKernels } from './kernels.js';
import { LoadError, loadingFailed, reinstall } from './load-error.js';
import { requireFrom } from './require.js';

/** native/addon/addon.cc has the same number; it is raised with every change of the functions' arguments. */
const interfaceVersion = 8;
/** The Node-API version the addon is built for. Loading it into an older runtime would end the process. */
const nodeApiVersion = 8;

interface Addon {
  readonly interfaceVersion: number;
  /** ISAs this CPU can run, best first: one at least. */
  readonly supported: readonly [string, ...string[]];
  readonly operations: readonly string[];
  kernelsOf(isa: string): NativeFunctions | undefined;
  /** Of the process. */
  getThreads(): number;
  setThreads(threads: number, isDefault: boolean): void;
}

export interface LoadedAddon {
  readonly path: string;
  readonly supported: readonly [string, ...string[]];
  readonly operations: readonly string[];
  readonly threads: Threads;
  engineOf(isa: string): Engine;
}

function load(): { addon: Addon; path: string } {
  const { path, again } = findAddon();
  let addon: Addon;
  try {
    addon = requireFrom(path)(path);
  } catch (error) {
    throw loadingFailed(path, error, again);
  }
  if (addon.interfaceVersion === interfaceVersion) return { addon, path };
  const found = `interface version ${addon.interfaceVersion}, not ${interfaceVersion}`;
  throw new LoadError(`${path} is of another release: it has ${found}`, again, true);
}

export function loadAddon(): LoadedAddon {
  const available = Number(process.versions.napi);
  if (!(available >= nodeApiVersion)) {
    const happened = `this runtime has Node-API ${available}, version ${nodeApiVersion} is needed`;
    throw new LoadError(happened, 'use a newer one', true);
  }
  const { addon, path } = load();
  return {
    path,
    supported: addon.supported,
    operations: addon.operations,
    threads: {
      get: () => addon.getThreads(),
      set: (threads) => addon.setThreads(threads, false),
      setDefault: (threads) => addon.setThreads(threads, true),
    },
    engineOf(isa) {
      const functions = addon.kernelsOf(isa);
      if (functions === undefined) throw new LoadError(`${path} has no kernels for ${isa}`, reinstall, true);
      const kernels = nativeKernels(functions, addon.operations);
      return { kernels, jobs: nativeJobs(functions, kernels) };
    },
  };
}
