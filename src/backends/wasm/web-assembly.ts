// WebAssembly as far as it is used here: TypeScript knows it by the types of browsers alone.

/** A compiled module: threads can share it. */
export type Module = object;

export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** What native/wasm/module.cc exports. Numbers are addresses and sizes in bytes, unless they say otherwise. */
export interface Exports {
  readonly memory: Memory;
  readonly __heap_base: { readonly value: number };
  /** Of the call's fields. */
  call(): number;
  compute(): void;
  widen(dtype: number, memory: number, count: number): void;
  narrow(dtype: number, memory: number, count: number): void;
  /** One array of an operation in bits; 0 after the last. */
  arrayOf(operation: number, index: number): number;
  /** A C string; 0 after the last operation. */
  nameOf(operation: number): number;
  isFused(): number;
  isRelaxed(): number;
}

interface WebAssemblyApi {
  readonly Module: new (code: Uint8Array) => Module;
  readonly Instance: new (module: Module, imports: object) => { readonly exports: Exports };
  validate(code: Uint8Array): boolean;
  compile(code: Uint8Array): Promise<Module>;
}

/** Throws where the runtime has none, as with --jitless. */
export function webAssembly(): WebAssemblyApi {
  const { WebAssembly } = globalThis as { WebAssembly?: WebAssemblyApi };
  if (WebAssembly !== undefined) return WebAssembly;
  throw new Error('this runtime has no WebAssembly');
}
