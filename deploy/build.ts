/** `npm run build`: builds everything that production runs, into dist/. */
import { fileURLToPath } from 'node:url';
import { buildPrograms } from './programs.js';

await buildPrograms(fileURLToPath(new URL('../dist', import.meta.url)), 'checked');
