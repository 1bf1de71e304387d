/** Bundles the workflow code into one file: when the image is built, or at start in development. */
import { readFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import { FAILURE_CONVERTER } from '../temporal/codec/data-converter.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Path of the bundle that a build ships; undefined when running from source. */
const SHIPPED = import.meta.url.endsWith('.ts') ? undefined : at('../workflow-bundle.js');

export async function buildWorkflowBundle(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: at('../workflows/index.ts'),
    failureConverterPath: FAILURE_CONVERTER,
    logger: new DefaultLogger('ERROR'),
  });
}

/** Returns the bundle at `path`, as `writeWorkflowBundle` wrote it. Without `path`: the bundle of this build, or a new one from source. */
export async function workflowBundle(path: string | undefined): Promise<WorkflowBundle> {
  const file = path ?? SHIPPED;
  return file === undefined ? buildWorkflowBundle() : { code: await readFile(file, 'utf8') };
}

export async function writeWorkflowBundle(path: string): Promise<void> {
  const { code } = await buildWorkflowBundle();
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, code);
}
