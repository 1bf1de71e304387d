/** `npm run build`: what production runs, in dist/: JavaScript, the database's migrations, the console's files, and the workflows as one file. */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { buildConsole } from '../client/console/build.js';
import { writeWorkflowBundle } from '../worker/bundle.js';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

// A file whose source is gone would otherwise go on being shipped.
rmSync(at('dist'), { recursive: true, force: true });

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const compiled = spawnSync(process.execPath, [tsc, '-p', at('tsconfig.build.json')], { stdio: 'inherit' });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

cpSync(at('ledger/migrations'), at('dist/ledger/migrations'), { recursive: true });

await buildConsole(at('dist/console'));

// Built here, by the same SDK that will run it: a worker that bundles at its start needs seconds and a compiler for it.
await writeWorkflowBundle(at('dist/workflow-bundle.js'));
