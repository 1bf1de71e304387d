/** A thousand refunds of one payment at once. */
import { expect, it } from 'vitest';
import { expectNoOverpromise } from './overpromise.js';
import { postgresLedger } from './postgres.js';

const { ledger, violations } = await postgresLedger(50);

it('never reserves more than was captured for a thousand refunds of any size on fifty connections', async () => {
  await expectNoOverpromise(ledger, 1_000);
  expect(await violations()).toEqual([]);
});
