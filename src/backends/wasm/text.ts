// The module from text (wasm-code.ts), and the change from JavaScript to WebAssembly once that is compiled.

import { relaxed, simd } from '../../wasm-code.js';
import type { Backend, ChosenBackend } from '../chosen.js';
import type { Job, Jobs } from '../jobs.js';
import type { Kernels, PlainKernels } from '../kernels.js';
import { Instance } from './instance.js';
import { chooseWasmOrJs, hasRelaxed, isFused, jsBecauseOf, startWasm, type WasmIsa } from './start.js';
import { type Module, webAssembly } from './web-assembly.js';

const reason = 'imported from softmax-native/wasm';

function codeOf(isa: WasmIsa): Uint8Array {
  const text = isa === 'simd128' ? simd : relaxed;
  if (text === '') throw new Error('this package was built without it');
  const { Uint8Array: Bytes, atob } = globalThis as unknown as {
    Uint8Array: { fromBase64?(text: string): Uint8Array };
    atob(text: string): string;
  };
  // Newer engines decode it in a tenth of the time.
  if (Bytes.fromBase64) return Bytes.fromBase64(text);
  const characters = atob(text);
  const code = new Uint8Array(characters.length);
  for (let i = 0; i < code.length; i++) code[i] = characters.charCodeAt(i);
  return code;
}

function compiledNow(isa: WasmIsa): Module {
  const { Module } = webAssembly();
  return new Module(codeOf(isa));
}

type Plain = Omit<PlainKernels, 'batch'>;

/** What forwards to the backend of the moment. */
class Current {
  chosen: ChosenBackend;
  readonly #bindings: (() => void)[] = [];

  constructor(chosen: ChosenBackend) {
    this.chosen = chosen;
  }

  change(chosen: ChosenBackend): void {
    this.chosen = chosen;
    for (const bind of this.#bindings) bind();
  }

  #forward<Run extends (...args: never[]) => unknown>(of: (kernels: Kernels) => Run): Run {
    let run = of(this.chosen.engine.kernels);
    this.#bindings.push(() => {
      run = of(this.chosen.engine.kernels);
    });
    return ((...args) => run(...args)) as Run;
  }

  #plain(which: 'plain' | 'plainNew'): PlainKernels {
    const forward = <Name extends keyof Plain>(name: Name) =>
      this.#forward((kernels) => kernels[which][name] as (...args: never[]) => unknown) as Plain[Name];
    return {
      softmax: forward('softmax'),
      logSoftmax: forward('logSoftmax'),
      softmaxBackward: forward('softmaxBackward'),
      logSoftmaxBackward: forward('logSoftmaxBackward'),
      crossEntropy: forward('crossEntropy'),
      // WebAssembly and JavaScript have the same.
      batch: this.chosen.engine.kernels[which].batch,
    };
  }

  kernels(): Kernels {
    return {
      plain: this.#plain('plain'),
      plainNew: this.#plain('plainNew'),
      unary: (kernel) => this.#forward((kernels) => kernels.unary(kernel)),
      binary: (kernel) => this.#forward((kernels) => kernels.binary(kernel)),
      arrays: (kernel) => this.#forward((kernels) => kernels.arrays(kernel)),
      crossEntropy: this.#forward((kernels) => kernels.crossEntropy),
      divergence: this.#forward((kernels) => kernels.divergence),
      sampling: {
        stepsOf: this.#forward((kernels) => kernels.sampling.stepsOf),
        isJs: this.#forward((kernels) => kernels.sampling.isJs),
      },
    };
  }

  jobs(): Jobs {
    const jobs = () => this.chosen.engine.jobs;
    return {
      get inlineCost() {
        return jobs().inlineCost;
      },
      start: (step, cost, done): Job => jobs().start(step, cost, done),
    };
  }

  backend(): Backend {
    const now = () => this.chosen.backend;
    return Object.freeze({
      get kind() {
        return now().kind;
      },
      get isa() {
        return now().isa;
      },
      path: null,
      get reason() {
        return now().reason;
      },
    });
  }
}

/** The best module that this runtime is served by. */
async function compiledLater(): Promise<Module> {
  const { compile } = webAssembly();
  if (hasRelaxed()) {
    const module = await compile(codeOf('relaxed-simd'));
    if (isFused(new Instance(module))) return module;
  }
  return compile(codeOf('simd128'));
}

/** WebAssembly, or JavaScript with the reason until init() has compiled it. */
export function chooseText(): ChosenBackend & { init(module?: Module): Promise<Backend> } {
  const current = new Current(chooseWasmOrJs(compiledNow, reason));
  const backend = current.backend();

  async function init(module?: Module): Promise<Backend> {
    if (backend.kind === 'wasm') return backend;
    try {
      const compiled = module ?? (await compiledLater());
      current.change(startWasm(() => compiled, reason, false));
    } catch (error) {
      current.change(jsBecauseOf(error));
    }
    return backend;
  }

  const engine = { kernels: current.kernels(), jobs: current.jobs() };
  return { backend, engine, threads: current.chosen.threads, init };
}
