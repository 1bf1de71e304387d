/** How one of our programs is run by another: from its source, or compiled where `REFUNDS_PROGRAMS` names the folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Arguments for Node. `entry`: relative to the repository, for example `worker/main.ts`. */
export function programArguments(entry: string): readonly string[] {
  const folder = process.env['REFUNDS_PROGRAMS'];
  const compiled = folder === undefined ? undefined : join(folder, entry.replace(/\.ts$/, '.js'));
  return compiled !== undefined && existsSync(compiled) ? [compiled] : ['--import', 'tsx', entry];
}
