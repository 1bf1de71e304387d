/** Cards in the console, in a real browser: a card is sealed and credited, and the browser keeps nothing of it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, HOW_TO_GET_CHROMIUM } from '../support/chromium.js';
import {
  CARD,
  digitsOf,
  fieldOf,
  keptBy,
  NUMBER,
  openCreditPage,
  sealCard,
  typeCard,
  watchRequests,
} from './card-page.js';
import { confirm, useConsole, type ConsoleHarness } from './harness.js';

describe.skipIf(CHROMIUM === undefined)(
  `cards in the console (needs Chromium: ${HOW_TO_GET_CHROMIUM})`,
  () => {
    const { start, openSession, paidOn } = useConsole();
    let harness: ConsoleHarness;
    let operator: string;
    let supervisor: string;

    beforeAll(async () => {
      ({ harness, operator, supervisor } = await start());
    }, 120_000);

    it('are sealed and credited after an approval, and the number leaves the page once', async () => {
      const { page } = await openSession(operator);
      const sentIn = watchRequests(page);
      await openCreditPage(page, { Order: 'to-a-card' });
      await page.getByText('A credit of 12.30 EUR goes to the destination that you choose.').waitFor();
      await sealCard(page);
      expect(sentIn).toEqual(['POST /v1/cards']);
      expect(digitsOf(await keptBy(page))).not.toContain(NUMBER);
      await page.getByText('A credit of 12.30 EUR goes to VISA …0000.').waitFor();
      await page.getByText('nothing is paid before another operator has approved it').waitFor();

      await page.getByRole('button', { name: 'Request credit' }).click();
      await page.waitForURL('**/refunds/*');
      const id = page.url().split('/').at(-1) ?? '';
      await harness.until(id, 'awaiting_approval');
      const card = page.getByRole('region', { name: 'Card', exact: true });
      await card.getByText('QZ').waitFor();
      await card.getByText('Sealed, for one credit').waitFor();
      expect(sentIn).toEqual(['POST /v1/cards']);
      expect(digitsOf(await keptBy(page))).not.toContain(NUMBER);

      await card.getByRole('button', { name: 'Destroy card' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('The keys of VISA …0000 of QZ are deleted.').waitFor();
      await dialog.getByRole('button', { name: 'Destroy card' }).click();
      await dialog.getByRole('alert').getByText('a refund with this card is not final').waitFor();
      await page.keyboard.press('Escape');

      const bea = await openSession(supervisor);
      await bea.open(`refunds/${id}`);
      await bea.page.getByRole('button', { name: 'Approve' }).click();
      await bea.page.getByRole('dialog').getByText('goes to VISA card …0000 of QZ').waitFor();
      await bea.page.keyboard.press('Escape');
      await confirm(bea.page, 'Approve', { Reason: 'checked with the customer' });
      const paid = await harness.until(id, 'succeeded');
      expect(
        paidOn(
          'none',
          paid.attempts.map(({ merchantTransactionId }) => merchantTransactionId),
        ),
      ).toBe(1_230n);

      await card.getByText('Used or older than 24 hours').waitFor();
      await card.getByRole('button', { name: 'Destroy card' }).click();
      await dialog.getByRole('button', { name: 'Destroy card' }).click();
      await card.getByText('an operator destroyed it').waitFor();
      expect(await card.getByRole('button', { name: 'Destroy card' }).count()).toBe(0);
      const attempts = page.getByRole('region', { name: 'Attempts' });
      await attempts.first().getByText('Settlement details').waitFor();
    });

    it('with wrong fields are not sent, or come back with the problem at its field and without number and CVV', async () => {
      const { page } = await openSession(operator);
      const sentIn = watchRequests(page);
      await openCreditPage(page);
      await typeCard(page, { ...CARD, Number: '4200000000000001', Holder: '' });
      await fieldOf(page, 'Number').press('Enter');
      await page.getByText('This is not a card number: a digit is wrong or missing.').waitFor();
      await page.getByText('Enter the name on the card.').waitFor();
      expect(sentIn).toEqual([]);

      await typeCard(page, { ...CARD, Year: '2020' });
      await page.getByRole('button', { name: 'Seal card' }).click();
      await page.getByText('the card has expired').waitFor();
      expect(await fieldOf(page, 'Year').getAttribute('aria-invalid')).toBe('true');
      expect(await page.evaluate('document.activeElement.value')).toBe('2020');
      expect(await fieldOf(page, 'Number').inputValue()).toBe('');
      expect(await fieldOf(page, 'CVV').inputValue()).toBe('');
      expect(digitsOf(await keptBy(page))).not.toContain(NUMBER);
      await fieldOf(page, 'Number').focus();
      await page.keyboard.press('Control+z');
      expect(await fieldOf(page, 'Number').inputValue()).toBe('');

      await page.getByRole('button', { name: 'Request credit' }).click();
      await page.getByText('Seal the card first').waitFor();
    });
  },
);
