// Prints vitest's JSON reports as one line, `N passed, N failed`; exits with 1 when a test failed or a report has none.
import { readFileSync } from 'node:fs';

const EMPTY = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    process.stderr.write(`The tests left no report: ${error.message}\n`);
    return EMPTY;
  }
}

const reports = process.argv.slice(2).map(read);
const total = (count) => reports.reduce((sum, report) => sum + count(report), 0);

// A test file that failed to load lists no failed test, so it is counted as one failed test.
const unread = (report) =>
  report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
const passed = total((report) => report.numPassedTests);
const failed = total((report) => report.numFailedTests + unread(report));
const skipped = total((report) => report.numPendingTests + report.numTodoTests);

for (const file of reports.flatMap((report) => report.testResults)) {
  for (const test of file.assertionResults) {
    if (test.status === 'failed') process.stdout.write(`failed: ${test.fullName}\n`);
  }
  if (file.status === 'failed' && file.message)
    process.stdout.write(`failed: ${file.name}: ${file.message}\n`);
}
process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`);
process.exitCode = failed > 0 || reports.some((report) => report.numPassedTests === 0) ? 1 : 0;
