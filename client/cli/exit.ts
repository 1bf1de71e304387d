/** The exit codes of the command line, and the errors of wrong use. */
import type { InputProblem } from '../../domain/refund/request.js';

export const EXIT = {
  done: 0,
  failed: 1,
  /** Wrong input or settings: the same command would fail again. */
  wrongUse: 2,
  /** No error: the refund waits for the decision of an operator. */
  operatorNeeded: 3,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Wrong use of a command: `problems` has every wrong option. Nothing was changed. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse';
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[]) {
    super(problems.map(({ field, message }) => `${field} ${message}`).join('; '));
    this.problems = problems;
  }
}

/** The operator did not confirm. Nothing was changed. */
export class Declined extends Error {
  override readonly name = 'Declined';
}
