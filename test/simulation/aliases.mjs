/** Maps modules to their fakes on virtual time, for Node’s loader and for vitest. */
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export const ALIASES = {
  '@temporalio/workflow': here('./temporal/workflow.ts'),
  uuid: here('./fake-uuid.ts'),
};
