// TypeScript has this from 5.4 on. This one is for those before, and does the same.

/** T, and no place to infer T from: in a result's type, what the caller's place for it wants says nothing about options. */
export type NoInfer<T> = [T][T extends unknown ? 0 : never];
