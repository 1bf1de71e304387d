/** Who said what: the words of persons about refunds, and when two names are one person. */

import { personKey } from './names.js';

/** Who speaks, why, and where it was discussed. All three are kept with what they brought about. */
export interface Word {
  readonly by: string;
  readonly reason: string;
  readonly ticket?: string;
}

/** Two people are needed where one asks or proposes. */
export function isSamePerson(one: string, other: string): boolean {
  return personKey(one) === personKey(other);
}
