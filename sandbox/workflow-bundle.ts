/** The workflows' code for the workers that one of our programs starts. */
import { join } from 'node:path';
import { writeWorkflowBundle } from '../worker/bundle.js';
import { compiledFile } from './program.js';

/** Answers its file: the compiled one, or else bundled into `folder`, once, so that a worker that is started again is at work at once. */
export async function workflowBundleIn(folder: string): Promise<string> {
  const compiled = compiledFile('workflow-bundle.js');
  if (compiled !== undefined) return compiled;
  const file = join(folder, 'workflow-bundle.js');
  await writeWorkflowBundle(file);
  return file;
}
