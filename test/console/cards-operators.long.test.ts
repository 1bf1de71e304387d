/** Operators give the card of a credit a new CVV, or choose another card; other last digits in the answer are flagged. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CHROMIUM, HOW_TO_GET_CHROMIUM } from '../support/chromium.js';
import { refundOf } from '../api/harness.js';
import { digitsOf, fieldOf, keptBy, NUMBER, sealCard, watchRequests } from './card-page.js';
import { confirm, useConsole, type ConsoleHarness } from './harness.js';

describe.skipIf(CHROMIUM === undefined)(
  `operators and the card of a credit (needs Chromium: ${HOW_TO_GET_CHROMIUM})`,
  () => {
    const { start, openSession } = useConsole();
    let harness: ConsoleHarness;
    let operator: string;
    let supervisor: string;

    beforeAll(async () => {
      ({ harness, operator, supervisor } = await start());
    }, 120_000);

    /** Requests a credit to a card that was sealed with a CVV, and approves it after the CVV's key is gone. */
    async function withoutCvv(): Promise<string> {
      const sealed = await harness.call('POST', '/v1/cards', {
        body: {
          ...{ number: NUMBER, brand: 'VISA', holder: 'Quentin Zephyr' },
          ...{ expiryMonth: '05', expiryYear: '2034', cvv: '917' },
        },
      });
      const { cardRef } = z.object({ cardRef: z.string() }).parse(sealed.body);
      const asked = await harness.call('POST', '/v1/credits', {
        headers: { 'idempotency-key': randomUUID() },
        body: { amount: '12.30', currency: 'EUR', reason: 'goodwill', destination: { cardRef } },
      });
      const { id } = refundOf(asked);
      const { approval } = await harness.until(id, 'awaiting_approval');
      await sql`delete from card_keys where card_id = ${cardRef} and field = 'cvv'`.execute(
        harness.stack.database.db,
      );
      await harness.call('POST', `/v1/refunds/${id}/approve`, {
        key: supervisor,
        body: { reason: 'checked', instruction: approval?.instruction },
      });
      await harness.until(id, 'manual_review');
      return id;
    }

    it('give a new CVV, and the credit continues after a replay', async () => {
      const id = await withoutCvv();
      const { page, open } = await openSession(operator);
      await open(`refunds/${id}`);
      await page.getByText('Seal a new security code for the card').first().waitFor();
      await page.getByRole('button', { name: 'Give a new CVV' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('CVV').fill('12');
      await dialog.getByRole('button', { name: 'Seal CVV' }).click();
      await dialog.getByText('A CVV has three or four digits.').waitFor();
      await dialog.getByLabel('CVV').fill('1234');
      await dialog.getByRole('button', { name: 'Seal CVV' }).click();
      await dialog.getByText('must be 3 digits').waitFor();
      expect(await dialog.getByLabel('CVV').inputValue()).toBe('');
      await dialog.getByLabel('CVV').fill('645');
      await dialog.getByLabel('CVV').press('Enter');
      await page.getByText('The new CVV is sealed.').waitFor();
      await page
        .getByRole('region', { name: 'Card', exact: true })
        .getByText('Sealed, for one credit')
        .waitFor();

      await confirm(page, 'Replay', { Reason: 'the customer gave the code again' });
      const { approval } = await harness.until(id, 'awaiting_approval');
      await harness.call('POST', `/v1/refunds/${id}/approve`, {
        key: supervisor,
        body: { reason: 'checked again', instruction: approval?.instruction },
      });
      await harness.until(id, 'succeeded');

      await sql`update attempts set other_last4 = '0042' where refund_id = ${id}`.execute(
        harness.stack.database.db,
      );
      await page.reload();
      await page.getByText('gateway shows …0042').waitFor();
      const attempts = page.getByRole('region', { name: 'Attempts' }).last();
      await attempts.getByText('Settlement details').click();
      await attempts.getByText('Reconciliation id').waitFor();
    });

    it('change the destination to a new card, that another operator approves', async () => {
      const id = await withoutCvv();
      const { page, open } = await openSession(operator);
      const sentIn = watchRequests(page);
      await open(`refunds/${id}`);
      await page.getByRole('button', { name: 'Change destination' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Change destination' }).click();
      await dialog.getByText('Registration is required.').waitFor();
      await sealCard(page);
      await fieldOf(page, 'Reason').fill('the customer has a new card');
      await dialog.getByRole('button', { name: 'Change destination' }).click();
      await page.getByText('Destination changed.').waitFor();
      expect(sentIn).toEqual(['POST /v1/cards']);
      expect(digitsOf(await keptBy(page))).not.toContain(NUMBER);
      const { approval } = await harness.until(id, 'awaiting_approval');
      expect(approval?.destination).toMatchObject({ brand: 'VISA', last4: '0000', initials: 'QZ' });
      const bea = await openSession(supervisor);
      await bea.open(`refunds/${id}`);
      await confirm(bea.page, 'Approve', { Reason: 'called the customer' });
      await harness.until(id, 'succeeded');
    });
  },
);
