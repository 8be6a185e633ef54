// The kernels of labels and tokens for what most calls are: float32 rows of the last axis, used as they are.

/** struct SampleSettings of native/kernels/sample_call.h: so many numbers a row. */
export const settingsPerRow = 17;
/** sampleLeft of native/kernels/sample.h: what `kept` says of a row that is left to JavaScript. */
export const leftToJs = -2;

export function writeSettings(
  settings: Float64Array,
  row: number,
  multiplier: number,
  topK: number,
  topP: number,
  minP: number,
  minKeep: number,
  isTemperatureLast: boolean,
  keepsTies: boolean,
  wantsKept: boolean,
): void {
  const at = row * settingsPerRow;
  settings[at] = multiplier;
  settings[at + 1] = topK;
  settings[at + 2] = topP;
  settings[at + 3] = minP;
  settings[at + 4] = minKeep;
  settings[at + 5] = isTemperatureLast ? 1 : 0;
  settings[at + 6] = keepsTies ? 1 : 0;
  settings[at + 7] = wantsKept ? 1 : 0;
  for (let i = at + 8; i < at + settingsPerRow; i++) settings[i] = 0;
}

/** After writeSettings: filters that plain calls do not have. */
export function writeMoreFilters(
  settings: Float64Array,
  row: number,
  typicalP: number,
  topNSigma: number,
  isTopRaw: boolean,
  isShared: boolean,
): void {
  const at = row * settingsPerRow;
  settings[at + 8] = typicalP < 1 ? typicalP : 0;
  settings[at + 9] = topNSigma;
  settings[at + 15] = isTopRaw ? 1 : 0;
  settings[at + 16] = isShared ? 1 : 0;
}

/** Which of the call's edits are the row's, penalties and then biases, and its first word of `allowed`. */
export function writeChanges(
  settings: Float64Array,
  row: number,
  firstEdit: number,
  lastEdit: number,
  firstBias: number,
  lastBias: number,
  firstAllowed: number,
): void {
  const at = row * settingsPerRow;
  settings[at + 10] = firstEdit;
  settings[at + 11] = lastEdit;
  settings[at + 12] = firstBias;
  settings[at + 13] = lastBias;
  settings[at + 14] = firstAllowed;
}

/** Results are as many as they have to be; no two arrays share memory. */
export interface PlainTokens {
  argMax(x: Float32Array, out: Int32Array, rows: number, length: number): void;
  topK(
    x: Float32Array,
    values: Float32Array,
    indices: Int32Array,
    rows: number,
    length: number,
    k: number,
  ): void;
  /** `tokens`: `count` a row, that are classes, in memory that no other thread has. `top` places a row, 0 without them. */
  tokenLogProbs(
    logits: Float32Array,
    tokens: Int32Array,
    logProbs: Float32Array,
    ranks: Int32Array,
    logSumExp: Float32Array,
    topLogProbs: Float32Array | undefined,
    topTokens: Int32Array | undefined,
    rows: number,
    length: number,
    count: number,
    top: number,
  ): void;
  /** Arrays as those of SampleArrays (native/sampling.ts); `count` draws a row. */
  sample(
    logits: Float32Array,
    settings: Float64Array,
    uniforms: Float64Array,
    tokens: Int32Array,
    kept: Int32Array,
    logProbs: Float32Array | undefined,
    rawLogProbs: Float32Array | undefined,
    rows: number,
    length: number,
    count: number,
  ): void;
}
