/** What no second attempt makes better: a wrong command, a program that is missing. Shown without a stack. */
export class Mistake extends Error {
  name = 'Mistake';
}
