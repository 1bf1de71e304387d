/** Harness of the console tests: Chromium in front of the API with everything behind it. */
import { randomUUID } from 'node:crypto';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { consoleFolder } from '../../server/api/console.js';
import type { Refund } from '../../client/index.js';
import type { RefundState } from '../../domain/refund/states.js';
import { refundOf, startApi, type ApiHarness } from '../api/harness.js';
import { startChromium, type Theme } from '../support/chromium.js';

export interface ConsoleSession {
  readonly page: Page;
  /** Errors, policy violations, dialogs and requests to other origins. The tests expect none. */
  readonly incidents: readonly string[];
  open(address: string): Promise<void>;
  signIn(key: string): Promise<void>;
  close(): Promise<void>;
}

export interface ConsoleHarness extends ApiHarness {
  /** Opens the console in a new browser profile, and signs in if a key is given. */
  openSession(key?: string, theme?: Theme): Promise<ConsoleSession>;
  /** Requests a refund of a new payment in full. The gateway declines its first attempt with `code`. Waits for `state`. */
  stuck(how: Stuck): Promise<Refund>;
  until(id: string, state: RefundState): Promise<Refund>;
}

export interface Stuck {
  readonly code: string;
  readonly state: RefundState;
  readonly amount?: string;
  readonly orderId?: string;
  readonly reason?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly key?: string;
}

/** Declined as not linkable. Above the limit the credit needs a second approver. */
export const NOT_LINKABLE = '700.500.001';
/** Declined in a way that leaves open whether the customer has the money. */
export const UNCLEAR = '700.300.300';

export async function startConsole(): Promise<ConsoleHarness> {
  const harness = await startApi({
    api: {
      console: {
        folder: await consoleFolder('.data'),
        namespace: 'default',
        temporalUi: 'http://127.0.0.1:1',
      },
    },
  });
  const { stack, url } = harness;
  const chromium = await startChromium();

  async function until(id: string, state: RefundState): Promise<Refund> {
    for await (const refund of stack.client.watch(id, { signal: AbortSignal.timeout(30_000) }))
      if (refund.state === state) return refund;
    throw new Error('unreachable');
  }

  return {
    ...harness,
    until,
    async close(options) {
      await chromium.close();
      await harness.close(options);
    },
    async stuck({ code, state, amount = '800.00', reason = 'goods_returned', key, ...more }) {
      const { paymentId } = stack.newPayment({ amount });
      stack.fault({ kind: 'reject', code }, { paymentId });
      const body = { paymentId, amount, currency: 'EUR', reason, orderId: randomUUID(), ...more };
      const asked = await harness.ask(paymentId, { body, ...(key === undefined ? {} : { key }) });
      return until(refundOf(asked).id, state);
    },
    async openSession(key, theme = {}) {
      const context = await chromium.open({ viewport: { width: 1280, height: 800 }, ...theme });
      const incidents = await watchFor(context, url);
      const page = await context.newPage();
      const session: ConsoleSession = {
        page,
        incidents,
        async open(address) {
          await page.goto(`${url}/console/${address}`);
          await page.getByRole('heading', { level: 1 }).waitFor();
        },
        async signIn(text) {
          await page.getByLabel('API key or token').fill(text);
          await page.getByRole('button', { name: 'Sign in' }).click();
          await page.getByRole('heading', { name: 'Queue' }).waitFor();
        },
        close: () => context.close(),
      };
      await session.open('');
      if (key !== undefined) {
        await session.signIn(key);
        await page.getByText('Live', { exact: true }).waitFor();
      }
      return session;
    },
  };
}

/** Collects the incidents of every page in this browser profile. */
async function watchFor(context: BrowserContext, url: string): Promise<readonly string[]> {
  const incidents: string[] = [];
  await context.exposeBinding('reportIncident', (_source, text: unknown) => {
    incidents.push(String(text));
  });
  await context.addInitScript(
    `addEventListener('securitypolicyviolation', (event) => reportIncident('policy: ' + event.violatedDirective + ' ' + event.blockedURI));`,
  );
  context.on('page', (page) => {
    page.on('dialog', (dialog) => {
      incidents.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('pageerror', (error) => incidents.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (!request.url().startsWith(`${url}/`)) incidents.push(`request: ${request.url()}`);
    });
    page.on('console', (message) => {
      // The browser logs every failed response, such as that to a refused key.
      if (message.type() === 'error' && !/the server responded with a status of 4\d\d/u.test(message.text()))
        incidents.push(`console: ${message.text()}`);
    });
  });
  return incidents;
}

/** Finds the row of a refund in a list by a text in it. */
export const rowOf = (page: Page, text: string): Locator =>
  page.getByRole('listitem').filter({ hasText: text });

/** Opens the dialog of an action, fills in its fields and confirms. */
export async function confirm(
  page: Page,
  verb: string,
  fields: Readonly<Record<string, string>>,
): Promise<void> {
  await page.getByRole('button', { name: verb, exact: true }).click();
  const dialog = page.getByRole('dialog');
  for (const [label, text] of Object.entries(fields)) {
    const field = dialog.getByLabel(label);
    if ((await field.evaluate(({ tagName }: { tagName: string }) => tagName)) === 'SELECT')
      await field.selectOption(text);
    else await field.fill(text);
  }
  await dialog.getByRole('button', { name: verb, exact: true }).click();
}
