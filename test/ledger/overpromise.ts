/** Many refunds of one payment at once on fifty connections: what the ledger promises never exceeds what was captured. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Accepted, Ledger } from '../../ledger/ledger.js';
import { accepted, debit, order } from './fixtures.js';

const CONNECTIONS = 50;
/** Minor units for each refund. The refunds ask for two and a half times as much on average. */
const CAPTURED_EACH = 1_000n;

/** PostgreSQL ended the statement because it took too long, as on a slow machine: the request is repeated. */
const hasTimedOut = (reason: unknown): boolean =>
  typeof reason === 'object' && reason !== null && 'code' in reason && reason.code === '57014';

/** `ledger`: with fifty connections. */
export async function expectNoOverpromise(ledger: Ledger, refunds: number): Promise<void> {
  const capturedMinor = CAPTURED_EACH * BigInt(refunds);
  const facts = debit({ capturedMinor });
  await accepted(ledger, facts, 1n);
  const sizes = fc.sample(fc.bigInt(1n, 5_000n), { numRuns: refunds, seed: 20_261_122 });
  let watching = true;
  const seenReserved: bigint[] = [];
  const watch = (async () => {
    while (watching) seenReserved.push((await ledger.findPayment(facts.id))?.reservedMinor ?? -1n);
  })();
  // Each lane asks for its next refund when the last one is answered.
  const lanes = await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, lane) => {
      const answered: PromiseSettledResult<Accepted>[] = [];
      for (const minor of sizes.filter((_size, number) => number % CONNECTIONS === lane)) {
        const asked = order(facts.id, minor);
        let answer: PromiseSettledResult<Accepted>;
        do [answer] = await Promise.allSettled([ledger.accept(asked, null)]);
        while (answer.status === 'rejected' && hasTimedOut(answer.reason));
        answered.push(answer);
      }
      return answered;
    }),
  );
  const answers = lanes.flat();
  watching = false;
  await watch;

  const promised = answers.flatMap((each) =>
    each.status === 'fulfilled' ? [each.value.refund.amountMinor] : [],
  );
  const sum = promised.reduce((total, minor) => total + minor, 1n);
  for (const each of answers)
    if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'exceeds_refundable' });
  expect(promised.length).toBeGreaterThan(refunds / 10);
  expect(promised.length).toBeLessThan(refunds);
  expect(seenReserved.every((minor) => minor >= 0n && minor <= capturedMinor)).toBe(true);
  const after = await ledger.findPayment(facts.id);
  expect(after).toMatchObject({ reservedMinor: sum, refundableMinor: capturedMinor - sum });
  if (sum < capturedMinor) {
    expect((await ledger.accept(order(facts.id, capturedMinor - sum), null)).isNew).toBe(true);
    await expect(ledger.accept(order(facts.id, 1n), null)).rejects.toMatchObject({
      details: { refundable: '0.00' },
    });
  }
}
