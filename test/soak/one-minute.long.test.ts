/** One minute of chaos as a test: the run of `npm run test:soak`, always with the same seed. */
import { expect, it } from 'vitest';
import { runSoak } from './run.js';

const MINUTES = 60_000;

it(
  'no refund is paid twice or lost while workers and servers are killed and the gateway misbehaves',
  // A minute of load, up to four minutes until everything has settled, and the start.
  { timeout: 8 * MINUTES },
  async () => {
    const lines: string[] = [];
    const result = await runSoak({
      minutes: 1,
      seed: 20_260_901,
      rate: 2,
      onProgress: () => undefined,
      print: (line) => lines.push(line),
    });
    const wrong = result.verdicts.flatMap(({ name, wrong: sentences }) =>
      sentences.map((sentence) => `${name}: ${sentence}`),
    );
    expect(wrong, lines.join('\n')).toEqual([]);
    // A run in which nothing was paid, or nothing went wrong, would prove nothing.
    const paid = result.refunds.filter(({ state }) => state === 'succeeded');
    expect(paid.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(10);
    expect(Object.keys(result.disasters).length).toBeGreaterThan(5);
    expect(result.apiAnswers['202'] ?? 0).toBeGreaterThan(10);
    expect(result.events['delivered'] ?? 0).toBeGreaterThan(10);
    expect(result.notifications['processed: completed'] ?? 0).toBeGreaterThan(0);
  },
);
