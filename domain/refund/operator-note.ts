/** What operators note with their commands, and when two names are one operator. */

import { principalKey } from '../names.js';

/** Who orders it, why, and where it was discussed. All three are kept with what they brought about. */
export interface OperatorNote {
  readonly by: string;
  readonly reason: string;
  readonly ticket?: string;
}

/** Two people are needed where one asks or proposes. */
export function isSameOperator(one: string, other: string): boolean {
  return principalKey(one) === principalKey(other);
}
