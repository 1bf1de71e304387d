/** Our programs, compiled once for all processes that a run of tests starts: as in production, and there in a third of the time. */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildPrograms } from '../../deploy/programs.js';

/** Answers the folder for `REFUNDS_PROGRAMS` (see sandbox/program): of this process alone, and gone with it. */
export async function compilePrograms(): Promise<string> {
  // Inside of the repository, where the packages are found.
  const folder = fileURLToPath(new URL(`../../.data/programs/${process.pid}`, import.meta.url));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  await buildPrograms(folder, 'as they are');
  return folder;
}
