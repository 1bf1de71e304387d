/** The console in a real browser: what operators see and do, and the effect on the money. */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { revokeApiKey } from '../../ledger/access/api-keys.js';
import { allRefunds, compareBooks } from '../../sandbox/demo/books.js';
import { formatAmount } from '../../sandbox/gateway/amounts.js';
import { CHROMIUM, HOW_TO_GET_CHROMIUM } from '../support/chromium.js';
import { paymentOf } from '../support/stack.js';
import { refundOf } from '../api/harness.js';
import {
  confirm,
  NOT_LINKABLE,
  rowOf,
  startConsole,
  UNCLEAR,
  type ConsoleHarness,
  type ConsoleSession,
} from './harness.js';

describe.skipIf(CHROMIUM === undefined)(`the console (needs Chromium: ${HOW_TO_GET_CHROMIUM})`, () => {
  let harness: ConsoleHarness;
  let operator: string;
  let supervisor: string;
  const corrected: string[] = [];
  const sessions: ConsoleSession[] = [];

  beforeAll(async () => {
    harness = await startConsole();
    operator = await harness.newKey('ann', 'submit', 'operate', 'approve');
    supervisor = await harness.newKey('bea', 'operate', 'approve');
  }, 120_000);
  afterAll(async () => {
    const refunds = await allRefunds(harness.stack.dependencies.ledger);
    const transactions = harness.stack.gateway.engine
      .transactions()
      .map((transaction) => ({ ...transaction, amount: formatAmount(transaction.amount) }));
    // Only the corrections that two operators recorded on outside evidence are unknown to the gateway.
    const unknown = compareBooks(refunds, transactions).map(({ reference }) => reference);
    await harness.close({ booksAgree: false });
    expect(unknown).toEqual(corrected);
  });
  afterEach(async () => {
    const left = sessions.splice(0);
    const incidents = left.flatMap((session) => session.incidents);
    await Promise.all(left.map((session) => session.close()));
    expect(incidents, 'incidents in the browser').toEqual([]);
  });

  const openSession = async (...who: Parameters<ConsoleHarness['openSession']>): Promise<ConsoleSession> => {
    const session = await harness.openSession(...who);
    sessions.push(session);
    return session;
  };
  const paidOn = (paymentId: string, references: readonly string[]): bigint =>
    harness.stack.gateway.engine
      .leftMerchant({ originals: [paymentId], references })
      .reduce((sum, { total }) => sum + total, 0n);

  describe('signing in', () => {
    it('checks the key first, stores it in this tab only, and deletes it on sign-out', async () => {
      const { page, signIn } = await openSession();
      await page.getByLabel('API key or token').fill('rk_aaaaaaaaaaaa_nothing');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('This key is not valid').waitFor();
      expect(await page.evaluate('JSON.stringify(sessionStorage)')).toBe('{}');

      await signIn(supervisor);
      expect(await page.getByLabel('API key or token').count()).toBe(0);
      expect(await page.evaluate('Object.values(sessionStorage)')).toEqual([supervisor]);
      expect(await page.evaluate('JSON.stringify(localStorage) + document.cookie')).not.toContain(supervisor);
      expect(page.url()).not.toContain('rk_');

      await page.getByRole('button', { name: 'bea' }).click();
      await page.getByText('Roles: read, operate, approve').waitFor();
      await page.reload();
      await page.getByRole('heading', { name: 'Queue' }).waitFor();
      await page.getByRole('button', { name: 'bea' }).click();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('API key or token').waitFor();
      expect(await page.evaluate('JSON.stringify(sessionStorage)')).toBe('{}');
    });

    it('shows a badge for entities without v3 reporting, and none if all have it', async () => {
      const { page } = await openSession(supervisor);
      expect(await page.getByText('No v3 reporting').count()).toBe(0);
      const entity = harness.stack.dependencies.defaultEntityId;
      const { db } = harness.stack.database;
      await sql`insert into entity_reporting (entity_id, code) values (${entity}, '800.121.100')`.execute(db);
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
    it('shows age, amount, reason and safe next step of each refund, and works by keyboard', async () => {
      const first = await harness.stuck({ code: UNCLEAR, state: 'manual_review', orderId: 'first-in-line' });
      const second = await harness.stuck({
        code: NOT_LINKABLE,
        state: 'awaiting_approval',
        orderId: 'second-in-line',
      });
      const { page, open } = await openSession(supervisor);
      const row = rowOf(page, 'first-in-line');
      await row.waitFor();
      const text = (await row.innerText()).replaceAll('\u202f', ' ');
      expect(text).toMatch(/^\d+ s\s/u);
      expect(text).toContain('800.00 EUR');
      expect(text).toContain('The decline does not show whether the customer has the money');
      expect(text).toContain('Next: Ask the acquirer');
      const orders = await page.getByText('-in-line').allInnerTexts();
      expect(orders.indexOf('first-in-line'), 'oldest first').toBeLessThan(orders.indexOf('second-in-line'));

      await page.getByLabel('Filter the queue').fill('in-line second approver');
      await row.waitFor({ state: 'detached' });
      await page.getByLabel('Filter the queue').fill('nothing like this');
      await page.getByText('matches “nothing like this”').waitFor();

      await open('?q=in-line');
      await row.waitFor();
      await page.keyboard.press('j');
      await page.keyboard.press('j');
      await page.keyboard.press('k');
      await page.keyboard.press('Enter');
      await page.waitForURL(`**/refunds/${first.id}`);
      await page.getByText('Safe next step').waitFor();

      await page.keyboard.press('?');
      await page.getByRole('dialog').getByText('Next / previous row').waitFor();
      await page.keyboard.press('Escape');
      await page.keyboard.press('g');
      await page.keyboard.press('r');
      await page.getByRole('heading', { name: 'Refunds' }).waitFor();
      await page.keyboard.press('g');
      await page.keyboard.press('q');
      await page.getByRole('heading', { name: 'Queue' }).waitFor();
      await page.keyboard.press('/');
      await page.keyboard.type(second.id);
      await page.keyboard.press('Enter');
      await page.waitForURL(`**/refunds/${second.id}`);
    });

    it('filters by reason and replays all refunds of one reason, with count and sums first', async () => {
      const CONFIGURATION = '600.200.201';
      const amounts = ['810.00', '820.00', '830.00'];
      const stuck = await Promise.all(
        amounts.map((amount) => harness.stuck({ code: CONFIGURATION, state: 'manual_review', amount })),
      );
      const { page, open } = await openSession(operator);
      await open('');
      await page.getByLabel('Review reason').selectOption('configuration');
      await page.waitForURL('**?case=configuration');
      const list = page.getByRole('list', { name: 'Refunds that need an operator, oldest first' });
      await expect.poll(() => list.getByRole('listitem').count()).toBe(3);

      await page.getByRole('button', { name: 'Replay all' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('3 refunds', { exact: true }).waitFor();
      expect((await dialog.innerText()).replaceAll('\u202f', ' ')).toContain('2 460.00 EUR');
      const go = dialog.getByRole('button', { name: 'Replay 3 refunds' });
      await go.click();
      await dialog.getByText('Reason is required.').waitFor();
      for (const { id } of stuck)
        expect((await harness.stack.client.getRefund(id)).state).toBe('manual_review');

      await dialog.getByLabel('Reason').fill('card 4200 0000 0000 0000');
      await go.click();
      await dialog.getByText('must not hold a card number').waitFor();
      await dialog.getByLabel('Reason').fill('the token is right again');
      await dialog.getByLabel('Ticket').fill('OPS-7');
      await go.click();
      await dialog.getByText('3 of 3 replayed. Done.').waitFor();
      for (const { id } of stuck) await harness.until(id, 'succeeded');
      await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
      await page.getByText('No refund needs an operator').or(page.getByText('None of the')).first().waitFor();
      const [first] = stuck;
      const timeline = await harness.call('GET', `/v1/refunds/${first?.id ?? ''}/timeline`);
      expect(JSON.stringify(timeline.body)).toContain('the token is right again');
    });

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

    it('shows the actions of others in real time', async () => {
      const refund = await harness.stuck({
        code: NOT_LINKABLE,
        state: 'awaiting_approval',
        orderId: 'decided-elsewhere',
      });
      const { page } = await openSession(supervisor);
      const row = rowOf(page, 'decided-elsewhere');
      await row.waitFor();
      const answer = await harness.call('POST', `/v1/refunds/${refund.id}/reject`, {
        key: supervisor,
        body: { reason: 'paid by bank transfer', instruction: refund.approval?.instruction },
      });
      expect(answer.status).toBe(200);
      await row.waitFor({ state: 'detached' });

      const arriving = rowOf(page, 'arrives-later');
      await harness.stuck({ code: UNCLEAR, state: 'manual_review', orderId: 'arrives-later' });
      await arriving.waitFor();
    });

    it('shows that the connection is lost, and catches up after it is back', async () => {
      const { page } = await openSession(supervisor);
      await page.context().setOffline(true);
      harness.app.server.closeAllConnections();
      await page.getByText('Offline').waitFor({ timeout: 60_000 });
      await harness.stuck({ code: UNCLEAR, state: 'manual_review', orderId: 'while-offline' });
      await page.context().setOffline(false);
      await page.getByText('Live', { exact: true }).waitFor({ timeout: 60_000 });
      await rowOf(page, 'while-offline').waitFor();
      // The lost connection itself is expected.
      const session = sessions.pop();
      expect(
        session?.incidents.filter((one) => !/ERR_INTERNET_DISCONNECTED|ERR_INCOMPLETE_CHUNKED/u.test(one)),
      ).toEqual([]);
      await session?.close();
    });
  });

  describe('two operators', () => {
    it('approve a credit once: not by the requester, and only after its effect was shown', async () => {
      const refund = await harness.stuck({ code: NOT_LINKABLE, state: 'awaiting_approval', key: operator });
      const ann = await openSession(operator);
      await ann.open(`refunds/${refund.id}`);
      const own = ann.page.getByRole('button', { name: 'Approve' });
      await own.waitFor();
      expect(await own.isDisabled()).toBe(true);
      await ann.page.getByText('its requester cannot decide about it').first().waitFor();

      const bea = await openSession(supervisor);
      await bea.open(`refunds/${refund.id}`);
      await bea.page.getByRole('button', { name: 'Approve' }).click();
      const dialog = bea.page.getByRole('dialog');
      await dialog.getByText('A credit of 800.00 EUR for this refund goes to registration').waitFor();
      await dialog.getByRole('button', { name: 'Approve' }).click();
      await dialog.getByText('Reason is required.').waitFor();
      expect((await harness.stack.client.getRefund(refund.id)).state).toBe('awaiting_approval');
      expect(await bea.page.evaluate('document.activeElement.tagName')).toBe('TEXTAREA');
      await bea.page.keyboard.press('Escape');
      expect(await dialog.isVisible()).toBe(false);

      await confirm(bea.page, 'Approve', { Reason: 'checked with the customer', Ticket: 'PAY-12' });
      await bea.page.getByText('Approved.').waitFor();
      await harness.until(refund.id, 'succeeded');
      // Both sessions update without a reload.
      for (const { page } of [ann, bea]) {
        await page.getByRole('heading', { level: 1 }).getByText('succeeded').waitFor();
        await page.getByText('checked with the customer').first().waitFor();
      }
      const paid = await harness.stack.client.getRefund(refund.id);
      const references = paid.attempts.map(({ merchantTransactionId }) => merchantTransactionId);
      expect(paidOn(paymentOf(paid), references)).toBe(80_000n);
    });

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
      corrected.push(...refund.attempts.map(({ merchantTransactionId }) => merchantTransactionId));
      await bea.open(`refunds/${refund.id}`);
      await bea.page.getByText('settlement file of Tuesday, line 7').first().waitFor();
      await confirm(bea.page, 'Approve', { Reason: 'seen in the file' });
      await harness.until(refund.id, 'succeeded');
      await ann.page.getByRole('heading', { level: 1 }).getByText('succeeded').waitFor();
    });
  });

  describe('an action', () => {
    it('withdraws a refund, which ends unpaid', async () => {
      const refund = await harness.stuck({ code: UNCLEAR, state: 'manual_review' });
      const { page, open } = await openSession(operator);
      await open(`refunds/${refund.id}`);
      await confirm(page, 'Withdraw', { Reason: 'paid by bank transfer' });
      await page.getByText('Withdrawn. New state: canceled.').waitFor();
      expect(paidOn(paymentOf(refund), [])).toBe(0n);
      await page.getByText('It has ended already').first().waitFor();
    });

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

    it('is disabled for a reader, with the required role as the reason', async () => {
      const refund = await harness.stuck({ code: UNCLEAR, state: 'manual_review' });
      const { page, open } = await openSession(await harness.newKey('reader', 'read'));
      await open(`refunds/${refund.id}`);
      await page.getByText('The role operate is needed.').first().waitFor();
      const buttons = page.getByRole('region', { name: 'Actions' }).getByRole('button');
      for (const button of await buttons.all()) expect(await button.isDisabled()).toBe(true);
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
});
