/** Notes of operators on their commands, and the comparison of operators' names. */

import { principalKey } from '../names.js';

/** Operator, reason and ticket of a command. Stored with the effects of the command. */
export interface OperatorNote {
  readonly by: string;
  readonly reason: string;
  readonly ticket?: string;
}

/** True if both names are one operator, who may not approve their own request or proposal. */
export function isSameOperator(one: string, other: string): boolean {
  return principalKey(one) === principalKey(other);
}
