/** The API's own process, watched: what kept it from answering is in the file `BENCH_STALLS` when it has ended. */
import { writeFileSync } from 'node:fs';
import { watchProcess } from './stalls.js';

const stalls = watchProcess('API');
const file = process.env['BENCH_STALLS'];
process.on('exit', () => {
  if (file !== undefined) writeFileSync(file, JSON.stringify(stalls));
});
await import('../server/api/main.js');
