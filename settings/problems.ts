/** Problems of the settings, reported all at once. They never repeat a value, because it may be a secret. */

export interface SettingsProblem {
  /** The variable, with the place inside the file that it names: `REFUNDS_CONFIG entities[1].baseUrl`. */
  readonly variable: string;
  /** Completes a sentence that begins with the variable's name: `is missing`, `must be …`. */
  readonly problem: string;
  readonly example: string;
}

/** Thrown when the process cannot start. `message` names every wrong variable and can be printed as it is. */
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

/** A value, or all problems with it. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly SettingsProblem[] };
