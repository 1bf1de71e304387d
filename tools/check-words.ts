/** `npm run lint:words`: checks the names and doc comments of all files in the repository against the glossary in `words.ts`. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { wordFaults } from './words.js';

const GLOSSARY = ['tools/words.ts', 'tools/check-words.ts', 'test/repository/words.test.ts'];

const files = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n');
const faults = files
  .filter((file) => !GLOSSARY.includes(file))
  .flatMap((file) => wordFaults(file, /\.(tsx?|sql)$/.test(file) ? readFileSync(file, 'utf8') : ''));
for (const { at, text } of faults) console.error(`${at}  ${text}`);
if (faults.length > 0) {
  console.error(`${faults.length} names or comments do not follow the glossary`);
  process.exitCode = 1;
}
