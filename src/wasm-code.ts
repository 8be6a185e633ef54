// The WebAssembly module as text, in base64: for browsers, which have no files, and bundlers, most of which know no others.
// The build writes what `npm run build:wasm` made in place of these (tools/wasm-modules.ts); empty where it made nothing.

export const simd = '';
export const relaxed = '';
