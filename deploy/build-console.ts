/** `npm run build:console`: builds only the console's files, into dist/console. */
import { fileURLToPath } from 'node:url';
import { buildConsole } from '../server/console/build.js';

await buildConsole(fileURLToPath(new URL('../dist/console', import.meta.url)));
