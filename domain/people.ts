/** Who said what: the words of persons about refunds, and when two names are one person. */

/** Who speaks, why, and where it was discussed. All three are kept with what they brought about. */
export interface Word {
  readonly by: string;
  readonly reason: string;
  readonly ticket?: string;
}

/** Two people are needed where one asks or proposes: capitals and blanks do not make a second one. */
export function isSamePerson(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase();
}
