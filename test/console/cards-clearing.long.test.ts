/** Card data that was typed and not sent is cleared, and the browser's profile on disk holds none of it. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, HOW_TO_GET_CHROMIUM, openProfile } from '../support/chromium.js';
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
import { useConsole, type ConsoleHarness } from './harness.js';

describe.skipIf(CHROMIUM === undefined)(
  `card data that is not sent (needs Chromium: ${HOW_TO_GET_CHROMIUM})`,
  () => {
    const { start, openSession, takeIncidents } = useConsole();
    let harness: ConsoleHarness;
    let operator: string;

    beforeAll(async () => {
      ({ harness, operator } = await start());
    }, 120_000);

    it('is cleared after five minutes without input, not before', async () => {
      const session = await openSession(operator);
      const { page } = session;
      await page.clock.install();
      await openCreditPage(page);
      await typeCard(page);
      await page.clock.runFor(4 * 60_000);
      expect(await fieldOf(page, 'Number').inputValue()).toBe(CARD['Number']);
      await fieldOf(page, 'Holder').press('End');
      await page.keyboard.type('s');
      await page.clock.runFor(4 * 60_000);
      expect(await fieldOf(page, 'Number').inputValue()).toBe(CARD['Number']);
      await page.clock.runFor(61_000);
      await page.getByText('cleared after five minutes without input').waitFor();
      for (const label of Object.keys(CARD)) expect(await fieldOf(page, label).inputValue()).toBe('');
      expect(digitsOf(await keptBy(page))).not.toContain(NUMBER);
      expect(await fieldOf(page, 'Amount').inputValue()).toBe('12.30');
      // The minutes pass in a moment: /readyz, asked once a minute, may be asked too often for its check.
      expect(takeIncidents(session).filter((one) => !one.includes('status of 503'))).toEqual([]);
      await session.close();
    });

    it('is gone after the page is left, by a link, by a reload and by the way back', async () => {
      const { page } = await openSession(operator);
      const sentIn = watchRequests(page);
      await openCreditPage(page);
      await typeCard(page);
      await page.getByRole('navigation').getByRole('link', { name: 'Refunds' }).click();
      await page.getByRole('heading', { name: 'Refunds' }).waitFor();
      expect(digitsOf(await keptBy(page))).not.toContain(NUMBER);
      await page.goBack();
      await page.getByRole('radio', { name: 'New card' }).check();
      expect(await fieldOf(page, 'Number').inputValue()).toBe('');

      for (const leave of [
        () => page.reload(),
        async () => {
          await page.goto('about:blank');
          await page.goBack();
        },
      ]) {
        await typeCard(page);
        await leave();
        await page.getByRole('radio', { name: 'New card' }).check();
        expect(await fieldOf(page, 'Number').inputValue()).toBe('');
        expect(await fieldOf(page, 'CVV').inputValue()).toBe('');
        expect(digitsOf(await keptBy(page))).not.toContain(NUMBER);
      }
      expect(sentIn).toEqual([]);
    });

    it('is offered to no autofill: the fields have no name, and nothing is remembered', async () => {
      const { page } = await openSession(operator);
      await openCreditPage(page);
      await typeCard(page);
      for (const label of Object.keys(CARD)) {
        const field = fieldOf(page, label);
        expect(await field.getAttribute('name'), label).toBeNull();
        expect(await field.getAttribute('autocomplete'), label).toBe('off');
        expect(await field.getAttribute('type'), label).toBe('text');
        expect(await field.getAttribute('id'), label).not.toMatch(/card|cc-|pan/iu);
      }
    });

    it('is in no file of the profile of the browser, where a planted number is found', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'refunds-profile-'));
      try {
        const context = await openProfile(folder);
        const page = await context.newPage();
        await page.goto(`${harness.url}/console/`);
        await page.getByLabel('API key or token').fill(operator);
        await page.getByRole('button', { name: 'Sign in' }).click();
        await openCreditPage(page);
        await sealCard(page);
        await page.getByRole('button', { name: 'Request credit' }).click();
        await page.waitForURL('**/refunds/*');
        await openCreditPage(page);
        await typeCard(page);
        await page.goto(`${harness.url}/healthz`);
        await page.goto(`${harness.url}/console/`);
        await context.close();
        expect(await filesWith(folder, NUMBER)).toEqual([]);
        expect(await filesWith(folder, CARD['Number'] ?? '')).toEqual([]);

        const again = await openProfile(folder);
        const planting = await again.newPage();
        await planting.goto(`${harness.url}/console/`);
        await planting.evaluate(`localStorage.setItem('planted', '${NUMBER}')`);
        await again.close();
        expect(await filesWith(folder, NUMBER)).not.toEqual([]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });

    it('of a request whose answer is lost is not sent again by itself', async () => {
      const session = await openSession(operator);
      const { page } = session;
      const sentIn = watchRequests(page);
      await openCreditPage(page, { Order: 'lost-answer' });
      await page.route('**/v1/cards', (route) => route.abort(), { times: 1 });
      await typeCard(page);
      await page.getByRole('button', { name: 'Seal card' }).click();
      await page.getByText('Number and CVV were cleared: type them again.').waitFor();
      expect(await fieldOf(page, 'Number').inputValue()).toBe('');
      await sealCard(page);
      expect(sentIn).toHaveLength(2);

      // The API accepts the credit, and its answer is lost.
      await page.route(
        '**/v1/credits',
        async (route) => {
          await route.fetch();
          await route.abort();
        },
        { times: 1 },
      );
      await page.getByRole('button', { name: 'Request credit' }).click();
      await page.getByText('The service cannot be reached.').waitFor();
      await page.getByRole('button', { name: 'Request credit' }).click();
      await page.waitForURL('**/refunds/*');
      const refunds = await harness.stack.client.listRefunds({});
      expect(refunds.filter(({ orderId }) => orderId === 'lost-answer')).toHaveLength(1);
      expect(takeIncidents(session).filter((one) => !one.includes('ERR_FAILED'))).toEqual([]);
      await session.close();
    });
  },
);

/** Returns the files below `folder` that hold a text, as ASCII or UTF-16, as it is or in gzip. */
async function filesWith(folder: string, text: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const content = await readFile(path);
    const forms = [content, ...unzipped(content)];
    if (forms.some((form) => form.includes(text) || form.includes(Buffer.from(text, 'utf16le'))))
      found.push(path);
  }
  return found;
}

function unzipped(content: Buffer): readonly Buffer[] {
  const at = content.indexOf(Buffer.from([0x1f, 0x8b, 0x08]));
  if (at === -1) return [];
  try {
    return [gunzipSync(content.subarray(at))];
  } catch {
    return [];
  }
}
