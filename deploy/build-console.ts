/** `npm run build:console`: the console's files in dist/console, as `npm run build` makes them. */
import { fileURLToPath } from 'node:url';
import { buildConsole } from '../server/console/build.js';

await buildConsole(fileURLToPath(new URL('../dist/console', import.meta.url)));
