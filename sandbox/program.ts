/** Finds the file to run for one of this repository's programs: its source, or its compiled form in the folder `REFUNDS_PROGRAMS`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Returns the arguments for Node. `entry` is relative to the repository, for example `worker/main.ts`. */
export function programArguments(entry: string): readonly string[] {
  const compiled = compiledFile(entry.replace(/\.ts$/, '.js'));
  return compiled === undefined ? ['--import', 'tsx', entry] : [compiled];
}

/** Returns the path of a compiled program (see deploy/programs.ts), or undefined where it is not compiled. */
export function compiledFile(path: string): string | undefined {
  const folder = process.env['REFUNDS_PROGRAMS'];
  const file = folder === undefined ? undefined : join(folder, path);
  return file !== undefined && existsSync(file) ? file : undefined;
}
