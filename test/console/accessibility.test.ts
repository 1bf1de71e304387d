/** Every page, light and dark, wide and narrow, as axe judges it: nothing that keeps somebody from reading or working it. */
import axe from 'axe-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CHROMIUM, HOW_TO_GET_CHROMIUM } from '../support/chromium.js';
import { paymentOf } from '../support/stack.js';
import { NOT_LINKABLE, startConsole, UNCLEAR, type ConsoleHarness, type Desk } from './world.js';

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
  `reading the console (needs Chromium: ${HOW_TO_GET_CHROMIUM})`,
  () => {
    let harness: ConsoleHarness;
    let key: string;
    let pages: Readonly<Record<string, string>>;

    beforeAll(async () => {
      harness = await startConsole();
      key = await harness.newKey('bea', 'operate', 'approve');
      const approval = await harness.stuck({ code: NOT_LINKABLE, state: 'awaiting_approval' });
      const review = await harness.stuck({ code: UNCLEAR, state: 'manual_review', orderId: 'x'.repeat(250) });
      harness.stack.gateway.engine.chargeback({ paymentId: paymentOf(approval) });
      pages = {
        queue: '',
        'a queue with nothing that fits': '?q=nothing+like+this',
        refunds: 'refunds',
        'a refund that waits for a second person': `refunds/${approval.id}`,
        'a refund in review': `refunds/${review.id}`,
        payment: `payments/${approval.paymentId}`,
        'a search without a result': 'search?q=nothing',
        'an address with nothing': 'elsewhere',
      };
    }, 120_000);
    afterAll(() => harness.close());

    async function expectNothingBlocked({ page }: Desk, what: string): Promise<void> {
      // Evaluated from outside: the page's own policy stays as it is.
      await page.evaluate(axe.source);
      const { violations } = report.parse(
        await page.evaluate(`axe.run(document, { resultTypes: ['violations'] })`),
      );
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(serious, what).toEqual([]);
    }

    it.each(LOOKS)('is possible on every page: $name', { timeout: 180_000 }, async ({ name, ...look }) => {
      const desk = await harness.sitDown(undefined, look);
      const { page, open } = desk;
      await expectNothingBlocked(desk, `signing in, ${name}`);
      await desk.signIn(key);
      for (const [what, address] of Object.entries(pages)) {
        await open(address);
        await page.getByText('Loading…').first().waitFor({ state: 'detached' });
        await expectNothingBlocked(desk, `${what}, ${name}`);
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        expect(overflow, `${what}, ${name}: wider than the screen`).toBeLessThanOrEqual(0);
      }
      await open(pages['a refund that waits for a second person'] ?? '');
      await page.getByRole('button', { name: 'Approve' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
      await page.getByText('Reason is required.').waitFor();
      await expectNothingBlocked(desk, `a dialog with something missing, ${name}`);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'bea' }).click();
      await expectNothingBlocked(desk, `the person's menu, ${name}`);
      expect(desk.incidents).toEqual([]);
      await desk.close();
    });
  },
);
