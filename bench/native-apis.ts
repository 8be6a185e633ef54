// The native entry point once per instruction set, in one process: a module with another query is another instance,
// and reads SOFTMAX_ISA anew.

export type Api = typeof import('softmax-native/native');

export async function nativeApis(): Promise<Record<string, Api>> {
  const entry = import.meta.resolve('softmax-native/native');
  const forced = process.env.SOFTMAX_ISA;
  const apis: Record<string, Api> = {};
  for (const isa of forced ? [forced] : ['avx512', 'avx2', 'neon', 'scalar']) {
    process.env.SOFTMAX_ISA = isa;
    try {
      apis[isa] = await import(`${entry}?isa=${isa}`);
    } catch (error) {
      // Forced by the caller, it is an error; else this CPU does not have it.
      if (forced) throw error;
    }
  }
  return apis;
}
