/** Harness of the console tests: Chromium in front of the API with everything behind it. */
import { randomUUID } from 'node:crypto';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, expect } from 'vitest';
import { consoleFolder } from '../../server/api/console.js';
import type { Refund } from '../../client/index.js';
import type { RefundState } from '../../domain/refund/states.js';
import { allRefunds, compareBooks } from '../../sandbox/demo/books.js';
import { formatAmount } from '../../sandbox/gateway/amounts.js';
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

export interface ConsoleTests {
  /** Starts the console. Call it in `beforeAll`. */
  start(): Promise<{ harness: ConsoleHarness; operator: string; supervisor: string }>;
  /** `openSession` of the harness. The session is closed after the test. */
  openSession(key?: string, theme?: Theme): Promise<ConsoleSession>;
  /** Returns the incidents of a session so far, for a test that expects some. They are not checked again after it. */
  takeIncidents(session: ConsoleSession): readonly string[];
  /** Names attempts that two operators corrected on outside evidence, so that the gateway does not know them. */
  expectUnknown(...references: readonly string[]): void;
  /** Returns the money that left the merchant for the payment, in minor units. */
  paidOn(paymentId: string, references: readonly string[]): bigint;
}

/**
 * Shares one console and one browser between the tests of a file. After each test no browser had an incident; at the end the gateway's books
 * agree with the ledger. Call it inside of the file's `describe`.
 */
export function useConsole(): ConsoleTests {
  let harness: ConsoleHarness | undefined;
  const sessions: ConsoleSession[] = [];
  const corrected: string[] = [];
  const started = (): ConsoleHarness => harness ?? expect.fail('the console has not started');

  afterAll(async () => {
    const { stack, close } = started();
    const refunds = await allRefunds(stack.dependencies.ledger);
    const transactions = stack.gateway.engine
      .transactions()
      .map((transaction) => ({ ...transaction, amount: formatAmount(transaction.amount) }));
    const unknown = compareBooks(refunds, transactions).map(({ reference }) => reference);
    await close({ booksAgree: false });
    expect(unknown).toEqual(corrected);
  });
  afterEach(async () => {
    const left = sessions.splice(0);
    const incidents = left.flatMap((session) => session.incidents);
    await Promise.all(left.map((session) => session.close()));
    expect(incidents, 'incidents in the browser').toEqual([]);
  });

  return {
    async start() {
      harness = await startConsole();
      return {
        harness,
        operator: await harness.newKey('ann', 'submit', 'operate', 'approve'),
        supervisor: await harness.newKey('bea', 'operate', 'approve'),
      };
    },
    async openSession(...who) {
      const session = await started().openSession(...who);
      sessions.push(session);
      return session;
    },
    takeIncidents(session) {
      sessions.splice(sessions.indexOf(session), 1);
      return session.incidents;
    },
    expectUnknown: (...references) => void corrected.push(...references),
    paidOn: (paymentId, references) =>
      started()
        .stack.gateway.engine.leftMerchant({ originals: [paymentId], references })
        .reduce((sum, { total }) => sum + total, 0n),
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
