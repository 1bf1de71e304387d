/** The workflows' code as one file: built once when the image is built, or on the spot in development. */
import { readFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The build has it beside its programs; there is none of the sources. */
const SHIPPED = import.meta.url.endsWith('.ts') ? undefined : at('../workflow-bundle.js');

export async function buildWorkflowBundle(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: at('../workflows/index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
}

/** `path`: a bundle written before by `writeWorkflowBundle`. Undefined: the one of this build, or from source a new one. */
export async function workflowBundle(path: string | undefined): Promise<WorkflowBundle> {
  const file = path ?? SHIPPED;
  return file === undefined ? buildWorkflowBundle() : { code: await readFile(file, 'utf8') };
}

export async function writeWorkflowBundle(path: string): Promise<void> {
  const { code } = await buildWorkflowBundle();
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, code);
}
