/** The workflows' code as one file: built once when the image is built, or on the spot in development. */
import { readFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';

/** `workflows/index.ts` under development, `workflows/index.js` in the build: whichever stands next to this file. */
const ENTRY = fileURLToPath(
  new URL(`../workflows/index.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url),
);

export async function buildWorkflowBundle(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({ workflowsPath: ENTRY, logger: new DefaultLogger('ERROR') });
}

/** `path`: a bundle written before by `writeWorkflowBundle`, or undefined to build one now. */
export async function workflowBundle(path: string | undefined): Promise<WorkflowBundle> {
  return path === undefined ? buildWorkflowBundle() : { code: await readFile(path, 'utf8') };
}

export async function writeWorkflowBundle(path: string): Promise<void> {
  const { code } = await buildWorkflowBundle();
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, code);
}
