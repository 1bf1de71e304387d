/** The console in a real browser: signing in, the queue, and the decisions of two operators, with their effect on the money. */
import { beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, HOW_TO_GET_CHROMIUM } from '../support/chromium.js';
import { paymentOf } from '../support/stack.js';
import { confirm, NOT_LINKABLE, rowOf, UNCLEAR, useConsole, type ConsoleHarness } from './harness.js';

describe.skipIf(CHROMIUM === undefined)(`the console (needs Chromium: ${HOW_TO_GET_CHROMIUM})`, () => {
  const { start, openSession, paidOn } = useConsole();
  let harness: ConsoleHarness;
  let operator: string;
  let supervisor: string;

  beforeAll(async () => {
    ({ harness, operator, supervisor } = await start());
  }, 120_000);

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

      const limits = bea.page.getByText('Credits of this requester');
      await limits.waitFor();
      expect((await limits.innerText()).replaceAll('\u202f', ' ')).toMatch(
        /of 500\.00 EUR used within 24 hours$/u,
      );
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

    it('is disabled for a reader, with the required role as the reason', async () => {
      const refund = await harness.stuck({ code: UNCLEAR, state: 'manual_review' });
      const { page, open } = await openSession(await harness.newKey('reader', 'read'));
      await open(`refunds/${refund.id}`);
      await page.getByText('The role operate is needed.').first().waitFor();
      const buttons = page.getByRole('region', { name: 'Actions' }).getByRole('button');
      for (const button of await buttons.all()) expect(await button.isDisabled()).toBe(true);
    });
  });
});
