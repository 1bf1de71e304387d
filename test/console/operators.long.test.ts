/** More of the console in a real browser: what it shows when something ends or is lost, corrections, previews, and the search by id. */
import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { revokeApiKey } from '../../ledger/access/api-keys.js';
import { CHROMIUM, HOW_TO_GET_CHROMIUM } from '../support/chromium.js';
import { refundOf } from '../api/harness.js';
import { confirm, rowOf, UNCLEAR, useConsole, type ConsoleHarness } from './harness.js';

describe.skipIf(CHROMIUM === undefined)(
  `the console beyond its main paths (needs Chromium: ${HOW_TO_GET_CHROMIUM})`,
  () => {
    const { start, openSession, expectUnknown, takeIncidents } = useConsole();
    let harness: ConsoleHarness;
    let operator: string;
    let supervisor: string;

    beforeAll(async () => {
      ({ harness, operator, supervisor } = await start());
    }, 120_000);

    describe('signing in', () => {
      it('shows a badge for entities without v3 reporting, and none if all have it', async () => {
        const { page } = await openSession(supervisor);
        expect(await page.getByText('No v3 reporting').count()).toBe(0);
        const entity = harness.stack.dependencies.defaultEntityId;
        const { db } = harness.stack.database;
        await sql`insert into entity_reporting (entity_id, code) values (${entity}, '800.121.100')`.execute(
          db,
        );
        try {
          const later = await openSession(supervisor);
          const light = later.page.getByText('No v3 reporting', { exact: true });
          await light.waitFor();
          expect(await light.getAttribute('title')).toContain(entity);
        } finally {
          await sql`delete from entity_reporting`.execute(db);
        }
      });

      it('ends with a message when the key is revoked', async () => {
        const key = await harness.newKey('gone', 'read');
        const { page } = await openSession(key);
        await revokeApiKey(harness.stack.database, key.split('_')[1] ?? '');
        // The next change makes every page refresh.
        await harness.stuck({ code: UNCLEAR, state: 'manual_review' });
        await page.getByText('This key is no longer valid').waitFor();
        expect(await page.evaluate('JSON.stringify(sessionStorage)')).toBe('{}');
      });
    });

    describe('the queue', () => {
      it('offers no replay for reasons after which the customer may have the money, nor to a reader', async () => {
        await harness.stuck({ code: '600.200.201', state: 'manual_review', amount: '840.00' });
        const reader = await openSession(await harness.newKey('onlooker', 'read'));
        await reader.open('?case=configuration');
        await rowOf(reader.page, '840.00').waitFor();
        expect(await reader.page.getByRole('button', { name: 'Replay all' }).count()).toBe(0);
        const { page, open } = await openSession(operator);
        await open('?case=returned');
        await page.getByLabel('Review reason').waitFor();
        await page.getByText('No refund needs an operator').waitFor();
        expect(await page.getByRole('button', { name: 'Replay all' }).count()).toBe(0);
      });

      it('shows that the connection is lost, and catches up after it is back', async () => {
        const session = await openSession(supervisor);
        const { page } = session;
        await page.context().setOffline(true);
        harness.app.server.closeAllConnections();
        await page.getByText('Offline').waitFor({ timeout: 60_000 });
        await harness.stuck({ code: UNCLEAR, state: 'manual_review', orderId: 'while-offline' });
        await page.context().setOffline(false);
        await page.getByText('Live', { exact: true }).waitFor({ timeout: 60_000 });
        await rowOf(page, 'while-offline').waitFor();
        // The lost connection itself is expected.
        expect(
          takeIncidents(session).filter(
            (one) => !/ERR_INTERNET_DISCONNECTED|ERR_INCOMPLETE_CHUNKED/u.test(one),
          ),
        ).toEqual([]);
        await session.close();
      });
    });

    describe('two operators', () => {
      it('correct an outcome that the gateway does not know: one proposes, the other confirms', async () => {
        const refund = await harness.stuck({ code: UNCLEAR, state: 'manual_review', amount: '900.00' });
        const ann = await openSession(operator);
        await ann.open(`refunds/${refund.id}`);
        await confirm(ann.page, 'Correct', {
          'What really happened': 'succeeded',
          Evidence: 'settlement file of Tuesday, line 7',
          Reason: 'the acquirer paid it',
        });
        await ann.page.getByText('Correction recorded.').waitFor();
        await ann.page.getByText('A correction needs a second approver').waitFor();
        expect(await ann.page.getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true);

        const bea = await openSession(supervisor);
        expectUnknown(...refund.attempts.map(({ merchantTransactionId }) => merchantTransactionId));
        await bea.open(`refunds/${refund.id}`);
        await bea.page.getByText('settlement file of Tuesday, line 7').first().waitFor();
        await confirm(bea.page, 'Approve', { Reason: 'seen in the file' });
        await harness.until(refund.id, 'succeeded');
        await ann.page.getByRole('heading', { level: 1 }).getByText('succeeded').waitFor();
      });
    });

    describe('an action', () => {
      it('shows problems at their fields, and changes nothing', async () => {
        const refund = await harness.stuck({ code: UNCLEAR, state: 'manual_review' });
        const { page, open } = await openSession(operator);
        await open(`refunds/${refund.id}`);
        await confirm(page, 'Link transaction', {
          'Gateway id': 'not an id',
          Reason: 'found in the portal',
        });
        const field = page.getByRole('dialog').getByLabel('Gateway id');
        await page.getByRole('dialog').getByText('must be 32 lowercase hexadecimal characters').waitFor();
        expect(await field.getAttribute('aria-invalid')).toBe('true');
        await field.fill('0'.repeat(32));
        await page.getByRole('dialog').getByRole('button', { name: 'Link transaction' }).click();
        await page.getByRole('dialog').getByRole('alert').waitFor();
        expect((await harness.stack.client.getRefund(refund.id)).state).toBe('manual_review');
      });

      it('can be previewed: what a replay would do', async () => {
        const refund = await harness.stuck({ code: UNCLEAR, state: 'manual_review' });
        const { page, open } = await openSession(operator);
        await open(`refunds/${refund.id}`);
        await page.getByRole('button', { name: 'Replay' }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByLabel('Reason').fill('is it alive?');
        await dialog.getByRole('button', { name: 'Preview' }).click();
        await dialog.getByText('Nothing: it waits for an operator').waitFor();
        await dialog.getByRole('button', { name: 'Replay', exact: true }).click();
        await page.getByText('Replayed from the first step that was not submitted.').waitFor();
      });
    });

    describe('an id', () => {
      it('of any kind finds its refund or payment, and an unknown id shows no results', async () => {
        const refund = await harness.stuck({ code: UNCLEAR, state: 'manual_review', orderId: 'ORD-77 / 3' });
        const { page } = await openSession(supervisor);
        const [attempt] = refund.attempts;
        for (const id of ['ORD-77 / 3', attempt?.merchantTransactionId, attempt?.gatewayId]) {
          await page.getByLabel('Search by any id').fill(id ?? '');
          await page.keyboard.press('Enter');
          await page.waitForURL(`**/refunds/${refund.id}`);
          await page.getByRole('navigation').getByRole('link', { name: 'Queue' }).click();
          await page.getByRole('heading', { name: 'Queue' }).waitFor();
        }
        await page.getByLabel('Search by any id').fill('no such thing');
        await page.keyboard.press('Enter');
        await page.getByText('No refund or payment has exactly this id').waitFor();
      });

      it('of a payment shows its balances, and one timeline for all of its refunds', async () => {
        const { paymentId } = harness.stack.newPayment({ amount: '100.00' });
        const ask = (amount: string) =>
          harness.ask(paymentId, { body: { paymentId, amount, currency: 'EUR', reason: 'goodwill' } });
        await ask('30.00');
        await expect
          .poll(async () => (await harness.stack.client.listRefunds({ paymentId })).map(({ state }) => state))
          .toEqual(['succeeded']);
        harness.stack.fault({ kind: 'reject', code: UNCLEAR }, { paymentId });
        const { id } = refundOf(await ask('20.00'));
        await harness.until(id, 'manual_review');
        const { page, open } = await openSession(supervisor);
        await open(`payments/${paymentId}`);
        const bar = page.getByRole('img', { name: /^Of 100\.00 EUR/u });
        await bar.waitFor();
        expect(await bar.getAttribute('aria-label')).toBe(
          'Of 100.00 EUR: 30.00 refunded, 0.00 credited, 20.00 reserved, 0.00 disputed, 50.00 refundable',
        );
        const parts = await bar.locator('rect').all();
        const widths = await Promise.all(parts.map((part) => part.getAttribute('width')));
        expect(widths).toEqual(['30%', '20%', '50%']);
        const timeline = page.getByRole('region', { name: 'Timeline' });
        expect(await timeline.getByText('Requested: goodwill').count()).toBe(2);
      });
    });
  },
);
