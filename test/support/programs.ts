/** Compiles our programs once for all processes of a test run, as in production. They then start in a third of the time. */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildPrograms } from '../../deploy/programs.js';

/** Returns the folder for `REFUNDS_PROGRAMS` (see sandbox/program). It belongs to this process and is deleted when the process exits. */
export async function compilePrograms(): Promise<string> {
  // Inside the repository, where Node finds the packages.
  const folder = fileURLToPath(new URL(`../../.data/programs/${process.pid}`, import.meta.url));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  await buildPrograms(folder, 'as they are');
  return folder;
}
