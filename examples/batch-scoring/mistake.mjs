/** What no second attempt makes better: a wrong command, a file that changed, a row that is no row. Message only. */
export class Mistake extends Error {
  name = 'Mistake';
}

/** Errors of softmax-native name their function: the same call would throw them again. */
export const isFinal = (error) => error instanceof Mistake || typeof error.fn === 'string';
