/** The console as a person has it: a real Chromium in front of the API with everything behind it. */
import { randomUUID } from 'node:crypto';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { consoleFolder } from '../../server/api/console.js';
import type { Refund } from '../../client/index.js';
import type { RefundState } from '../../domain/refund/states.js';
import { refundOf, startApi, type ApiHarness } from '../api/world.js';
import { startChromium, type Look } from '../support/chromium.js';

export interface Desk {
  readonly page: Page;
  /** What the browser complained about, asked elsewhere or was kept from: nothing of it may ever happen. */
  readonly incidents: readonly string[];
  open(address: string): Promise<void>;
  signIn(key: string): Promise<void>;
  close(): Promise<void>;
}

export interface ConsoleHarness extends ApiHarness {
  /** Somebody at a machine of their own, signed in where a key is given. */
  sitDown(key?: string, look?: Look): Promise<Desk>;
  /** A refund of all of a new payment whose first attempt the gateway refuses with this code, and the state it comes to. */
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

/** Refused as not linkable: above the limit the credit needs a second person. */
export const NOT_LINKABLE = '700.500.001';
/** Refused in a way that does not tell whether the customer has the money. */
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
    async sitDown(key, look = {}) {
      const context = await chromium.open({ viewport: { width: 1280, height: 800 }, ...look });
      const incidents = await watchFor(context, url);
      const page = await context.newPage();
      const desk: Desk = {
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
      await desk.open('');
      if (key !== undefined) {
        await desk.signIn(key);
        await page.getByText('Live', { exact: true }).waitFor();
      }
      return desk;
    },
  };
}

/** Of every page that is opened by this person. */
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
      // The browser itself writes down every answer that is not a success; a refused key is one.
      if (message.type() === 'error' && !/the server responded with a status of 4\d\d/u.test(message.text()))
        incidents.push(`console: ${message.text()}`);
    });
  });
  return incidents;
}

/** The row of one refund in a list, by whatever is written in it. */
export const rowOf = (page: Page, text: string): Locator =>
  page.getByRole('listitem').filter({ hasText: text });

/** Gives the reason, and whatever else is asked for, and confirms. */
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
