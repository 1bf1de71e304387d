/** How one of our programs is run by another: from its source, or compiled where `REFUNDS_PROGRAMS` names the folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Arguments for Node. `entry`: relative to the repository, for example `worker/main.ts`. */
export function programArguments(entry: string): readonly string[] {
  const compiled = compiledFile(entry.replace(/\.ts$/, '.js'));
  return compiled === undefined ? ['--import', 'tsx', entry] : [compiled];
}

/** `path`: in the folder of compiled programs (see deploy/programs). Undefined where there is none. */
export function compiledFile(path: string): string | undefined {
  const folder = process.env['REFUNDS_PROGRAMS'];
  const file = folder === undefined ? undefined : join(folder, path);
  return file !== undefined && existsSync(file) ? file : undefined;
}
