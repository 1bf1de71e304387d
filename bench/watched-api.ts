/** Runs the API and records its stalls (garbage collection, blocked event loop). It writes them to the file `BENCH_STALLS` when it ends. */
import { writeFileSync } from 'node:fs';
import { watchProcess } from './stalls.js';

const stalls = watchProcess('API');
const file = process.env['BENCH_STALLS'];
process.on('exit', () => {
  if (file !== undefined) writeFileSync(file, JSON.stringify(stalls));
});
await import('../server/api/main.js');
