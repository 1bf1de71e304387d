/** How a command ends: the exit codes that scripts rely on, and what is said on the way out. */
import type { InputProblem } from '../../domain/refund/request.js';

export const EXIT = {
  done: 0,
  failed: 1,
  /** Wrong input or settings: the same command would fail again. */
  wrongUse: 2,
  /** Nothing is wrong, and nothing goes on before a person has decided. */
  operatorNeeded: 3,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command was used wrongly, in each of the ways named. Nothing was changed. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse';
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[]) {
    super(problems.map(({ field, message }) => `${field} ${message}`).join('; '));
    this.problems = problems;
  }
}

/** The person said no when asked. Nothing was changed. */
export class Declined extends Error {
  override readonly name = 'Declined';
}
