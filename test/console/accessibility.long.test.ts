/** Accessibility of every page, checked with axe in light, dark and narrow layouts. */
import axe from 'axe-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CHROMIUM, HOW_TO_GET_CHROMIUM } from '../support/chromium.js';
import { paymentOf } from '../support/stack.js';
import { NOT_LINKABLE, startConsole, UNCLEAR, type ConsoleHarness, type ConsoleSession } from './harness.js';

const report = z.object({
  violations: z.array(
    z.object({
      id: z.string(),
      impact: z.string().nullable(),
      nodes: z.array(z.object({ html: z.string(), failureSummary: z.string().optional() })),
    }),
  ),
});

const LOOKS = [
  { name: 'light', colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  { name: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  { name: 'narrow', colorScheme: 'light', viewport: { width: 360, height: 740 } },
] as const;

describe.skipIf(CHROMIUM === undefined)(
  `accessibility of the console (needs Chromium: ${HOW_TO_GET_CHROMIUM})`,
  () => {
    let harness: ConsoleHarness;
    let key: string;
    let pages: Readonly<Record<string, string>>;

    beforeAll(async () => {
      harness = await startConsole();
      key = await harness.newKey('bea', 'submit', 'operate', 'approve');
      const approval = await harness.stuck({ code: NOT_LINKABLE, state: 'awaiting_approval' });
      const review = await harness.stuck({ code: UNCLEAR, state: 'manual_review', orderId: 'x'.repeat(250) });
      harness.stack.gateway.engine.chargeback({ paymentId: paymentOf(approval) });
      pages = {
        queue: '',
        'a queue with no match': '?q=nothing+like+this',
        refunds: 'refunds',
        'a refund that needs a second approver': `refunds/${approval.id}`,
        'a refund in review': `refunds/${review.id}`,
        'a new credit': 'credit',
        payment: `payments/${approval.paymentId}`,
        'a search without a result': 'search?q=nothing',
        'an unknown page': 'elsewhere',
      };
    }, 120_000);
    afterAll(() => harness.close());

    async function expectNoViolations({ page }: ConsoleSession, what: string): Promise<void> {
      // Evaluated through the debugger, which the page's Content-Security-Policy does not affect.
      await page.evaluate(axe.source);
      const { violations } = report.parse(
        await page.evaluate(`axe.run(document, { resultTypes: ['violations'] })`),
      );
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(serious, what).toEqual([]);
    }

    it.each(LOOKS)(
      'has no serious violations on any page: $name',
      { timeout: 180_000 },
      async ({ name, ...theme }) => {
        const session = await harness.openSession(undefined, theme);
        const { page, open } = session;
        await expectNoViolations(session, `signing in, ${name}`);
        await session.signIn(key);
        for (const [what, address] of Object.entries(pages)) {
          await open(address);
          await page.getByText('Loading…').first().waitFor({ state: 'detached' });
          await expectNoViolations(session, `${what}, ${name}`);
          const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
          expect(overflow, `${what}, ${name}: wider than the screen`).toBeLessThanOrEqual(0);
        }
        await open(pages['a refund that needs a second approver'] ?? '');
        await page.getByRole('button', { name: 'Approve' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
        await page.getByText('Reason is required.').waitFor();
        await expectNoViolations(session, `a dialog with a missing field, ${name}`);
        await page.keyboard.press('Escape');
        await open('credit');
        await page.getByRole('radio', { name: 'New card' }).check();
        await page.getByRole('button', { name: 'Seal card' }).click();
        await page.getByText('Enter the number of the card.').waitFor();
        await expectNoViolations(session, `a new card with missing fields, ${name}`);
        await page.getByRole('button', { name: 'bea' }).click();
        await expectNoViolations(session, `the account menu, ${name}`);
        expect(session.incidents).toEqual([]);
        await session.close();
      },
    );
  },
);
