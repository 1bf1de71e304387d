// Prints vitest's JSON report as one line, `N passed, N failed`; exits with 1 when a test failed or none ran.
import { readFileSync } from 'node:fs';

let report;
try {
  report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
} catch (error) {
  process.stderr.write(`The tests left no report: ${error.message}\n`);
  report = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
}

// A file that could not be read has no tests to count as failed: it counts as one.
const unread = report.testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
).length;
const passed = report.numPassedTests;
const failed = report.numFailedTests + unread;
const skipped = report.numPendingTests + report.numTodoTests;

for (const file of report.testResults) {
  for (const test of file.assertionResults) {
    if (test.status === 'failed') process.stdout.write(`failed: ${test.fullName}\n`);
  }
  if (file.status === 'failed' && file.message)
    process.stdout.write(`failed: ${file.name}: ${file.message}\n`);
}
process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
