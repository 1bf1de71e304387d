/** The bundle of workflow code that the sandbox's workers and the tests' workers load. */
import { join } from 'node:path';
import { writeWorkflowBundle } from '../worker/bundle.js';
import { compiledFile } from './program.js';

/**
 * Returns the path of the bundle: the compiled one, or else one written into `folder`.
 * It is written once, so that a worker that is restarted does not bundle again.
 */
export async function workflowBundleIn(folder: string): Promise<string> {
  const compiled = compiledFile('workflow-bundle.js');
  if (compiled !== undefined) return compiled;
  const file = join(folder, 'workflow-bundle.js');
  await writeWorkflowBundle(file);
  return file;
}
