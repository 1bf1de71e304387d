/** Test configuration for mutants of `domain/` and the code table. Randomness is fixed, so that scores can be compared. */
import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Table tests come first because they start at once. Property tests and the drawn page take most of the time and come last. */
const QUICK = [
  'loads',
  'read-code',
  'reconciliation',
  'original',
  'operator-note',
  'notification',
  'result-codes',
  'money',
  'request',
];
const SLOW = ['next-step', 'outcome', 'credit-guard', 'states'];

/** Orders the files. A mutant dies at the first failing test, so the order decides how long a table of constants takes. */
class QuickFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const name = basename(moduleId, '.test.ts');
      return QUICK.includes(name) ? QUICK.indexOf(name) : QUICK.length + 1 + SLOW.indexOf(name);
    };
    return Promise.resolve([...files].sort((a, b) => rank(a) - rank(b)));
  }
}

export default defineConfig({
  test: {
    include: [
      'test/domain/**/*.test.ts',
      'test/gateway/{read-code,result-codes}.test.ts',
      'test/mutation/loads.test.ts',
    ],
    setupFiles: ['test/mutation/same-chance.ts'],
    sequence: { sequencer: QuickFirst },
    // All files in one thread: starting a thread for each file would take most of the time.
    isolate: false,
    testTimeout: 60_000,
  },
});
