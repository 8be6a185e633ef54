// Objects that tell what is read of them, and that may do something else meanwhile: a caller's code, which a getter or a
// proxy runs in the middle of a call.

import { bytesOf, detach, isResizable, type Placed } from './memory.js';
import type { ObjectForm, TrapPlan } from './plan.js';

/** What a trap throws, so that it is told from the library's errors. */
export class TrapError extends Error {}

type Fields = Record<PropertyKey, unknown>;

export class Traps {
  /** Names of what was read, in order. */
  readonly reads: string[] = [];
  /** Whether a caller's code has done something. */
  hasFired = false;
  readonly #plan: TrapPlan | undefined;
  readonly #placed: readonly Placed[];
  readonly #callAnother: () => void;

  constructor(plan: TrapPlan | undefined, placed: readonly Placed[], callAnother: () => void) {
    this.#plan = plan;
    this.#placed = placed;
    this.#callAnother = callAnother;
  }

  #read(name: string): void {
    this.reads.push(name);
    if (this.reads.length !== this.#plan?.at) return;
    this.hasFired = true;
    this.#act(this.#plan);
  }

  #act({ action, which }: TrapPlan): void {
    if (action === 'throw') throw new TrapError('a trap');
    if (action === 'call') {
      this.#callAnother();
      return;
    }
    const buffer = this.#placed[which % this.#placed.length]?.buffer;
    const bytes = buffer && bytesOf(buffer);
    if (buffer === undefined || bytes === undefined) return;
    if (action === 'overwrite') bytes.fill(1);
    else if (action === 'detach') detach(buffer);
    else if (!isResizable(buffer)) detach(buffer);
    else buffer.resize(action === 'grow' ? buffer.maxByteLength : buffer.byteLength >> 1);
  }

  /** An object with fields, of a form; with a trap, of one that can have it. */
  object(name: string, fields: Fields, wanted: ObjectForm): object {
    const canTell = wanted === 'proxy' || wanted === 'getters';
    const form = this.#plan === undefined || canTell ? wanted : 'proxy';
    switch (form) {
      case 'frozen':
        return Object.freeze(fields);
      case 'no prototype':
        return Object.assign(Object.create(null), fields);
      case 'inherited':
        return Object.create(fields);
      case 'proxy':
        return this.#proxy(name, fields);
      case 'getters':
        return this.#getters(name, fields);
      default:
        return fields;
    }
  }

  /** A plain array, which tells too where there is a trap. */
  array(name: string, elements: readonly unknown[]): readonly unknown[] {
    return this.#plan === undefined ? elements : this.#proxy(name, [...elements]);
  }

  #proxy<Target extends object>(name: string, target: Target): Target {
    return new Proxy(target, {
      get: (of, key) => {
        this.#read(`${name}.${String(key)}`);
        return Reflect.get(of, key);
      },
    });
  }

  #getters(name: string, fields: Fields): object {
    const object = {};
    for (const key of Object.keys(fields))
      Object.defineProperty(object, key, {
        enumerable: true,
        get: () => {
          this.#read(`${name}.${key}`);
          return fields[key];
        },
      });
    return object;
  }
}
