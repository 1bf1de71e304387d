/** Problems of the settings, reported all at once and without any value: it may be a secret. */

export interface SettingsProblem {
  /** The variable, with the place inside the file where it names one: `REFUNDS_CONFIG entities[1].baseUrl`. */
  readonly variable: string;
  /** Follows the variable's name in a sentence: `is missing`, `must be …`. */
  readonly problem: string;
  readonly example: string;
}

/** The process cannot start. `message` names every wrong variable and is meant to be printed as it is. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly SettingsProblem[];

  constructor(problems: readonly SettingsProblem[]) {
    const lines = problems.map(
      ({ variable, problem, example }) => `  ${variable} ${problem}. Example: ${example}`,
    );
    super(['The settings cannot be used:', ...lines].join('\n'));
    this.problems = problems;
  }
}

/** A value, or everything that is wrong with it. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly SettingsProblem[] };
