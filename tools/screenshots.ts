/**
 * `npm run screenshots`: takes the documentation's screenshots of the console, with a sandbox and real refunds in it.
 * With a folder as argument it takes every page instead, light, dark and narrow, for a visual check.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import type { BrowserContext, Page } from 'playwright-core';
import { openRefundsClient } from '../client/open.js';
import { isFinal } from '../domain/refund/states.js';
import { createApiKey } from '../ledger/access/api-keys.js';
import { openDatabase, type Database } from '../ledger/db/database.js';
import { gatewayControl, type GatewayControl } from '../sandbox/control-client.js';
import type { FaultRule } from '../sandbox/gateway/faults.js';
import { printOnStderr } from '../sandbox/servers/progress.js';
import { startSandbox } from '../sandbox/stack.js';
import { readSettings } from '../settings/read.js';
import { startChromium } from '../test/support/chromium.js';

const IMAGES = fileURLToPath(new URL('../docs/images', import.meta.url));
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };

const dataDir = await mkdtemp(join(tmpdir(), 'refunds-screenshots-'));
const sandbox = await startSandbox(
  { ...process.env, REFUNDS_DATA_DIR: dataDir, REFUNDS_PORT: '0' },
  printOnStderr,
);
const settings = readSettings(sandbox.env);
const database = openDatabase(settings.databaseUrl);
const opened = openRefundsClient(settings, sandbox.env);
const { url } = sandbox.api;
try {
  const key = async (
    name: string,
    ...roles: readonly ('submit' | 'operate' | 'approve')[]
  ): Promise<string> => (await createApiKey(database, { name, roles })).text.reveal();
  const examples = await createRefunds(gatewayControl(sandbox.gateway.url), await key('webshop', 'submit'));
  await sandbox.worker.stop();
  await pretendAges(database);
  const visit = { url, key: await key('maria.keller', 'operate', 'approve'), examples };
  const folder = process.argv[2];
  if (folder === undefined) await forTheDocumentation(visit);
  else await everyPage(visit, folder);
} finally {
  await opened.close();
  await database.close();
  await sandbox.stop();
  await rm(dataDir, { recursive: true, force: true });
}

interface Examples {
  readonly approval: string;
  readonly review: string;
  readonly payment: string;
}

interface Visit {
  readonly url: string;
  readonly key: string;
  readonly examples: Examples;
}

/** Creates a shop's usual refunds: most are paid, a few need an operator. Returns the ids of those on the screenshots. */
async function createRefunds(gateway: GatewayControl, shop: string): Promise<Examples> {
  const fault = (paymentId: string, effect: FaultRule['effect']): Promise<void> =>
    gateway.setFault({ match: { paymentType: 'RF', paymentId }, effect });
  const reject = (code: string): FaultRule['effect'] => ({ kind: 'reject', code });
  const pay = (amount: string) => gateway.createPayment({ type: 'DB', amount, currency: 'EUR' });

  const request = async (
    paymentId: string,
    amount: string,
    orderId: string,
    reason: string,
  ): Promise<string> => {
    const answer = await fetch(`${url}/v1/refunds?wait=20s`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${shop}`,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
      },
      body: JSON.stringify({ paymentId, amount, currency: 'EUR', reason, orderId }),
    });
    const body: unknown = await answer.json();
    if (!answer.ok || typeof body !== 'object' || body === null || !('id' in body))
      throw new Error(`requesting a refund of ${amount} EUR failed: ${JSON.stringify(body)}`);
    return String(body.id);
  };
  const settle = async (id: string): Promise<string> => {
    for await (const refund of opened.client.watch(id, { signal: AbortSignal.timeout(60_000) }))
      if (isFinal(refund.state) || ['awaiting_approval', 'manual_review'].includes(refund.state)) break;
    return id;
  };
  const declined = async (amount: string, part: string, code: string, order: string, why: string) => {
    const { paymentId } = await pay(amount);
    await fault(paymentId, reject(code));
    return settle(await request(paymentId, part, order, why));
  };

  const [approval, review] = await Promise.all([
    declined('1249.00', '1249.00', '700.500.001', 'ORD-20418', 'order_cancelled'),
    declined('189.90', '189.90', '700.300.300', 'ORD-20377', 'goods_returned'),
    declined('64.50', '64.50', '100.100.303', 'ORD-20401', 'requested_by_customer'),
    declined('2310.00', '640.00', '700.500.001', 'ORD-20425', 'price_adjustment'),
    ...['39.00', '120.50', '18.99', '540.00'].map(async (amount, index) => {
      const { paymentId } = await pay(amount);
      return settle(await request(paymentId, amount, `ORD-2043${index}`, 'order_cancelled'));
    }),
  ]);

  const { paymentId } = await pay('500.00');
  await settle(await request(paymentId, '120.00', 'ORD-20390', 'goods_returned'));
  await fault(paymentId, reject('700.500.001'));
  await settle(await request(paymentId, '80.00', 'ORD-20390', 'price_adjustment'));
  await fault(paymentId, reject('700.300.300'));
  await settle(await request(paymentId, '60.00', 'ORD-20390', 'goodwill'));
  return { approval, review, payment: paymentId };
}

/** Makes the waiting refunds minutes to hours old in the screenshots' own database: in a real queue they have different ages. */
async function pretendAges({ db }: Database): Promise<void> {
  const waiting = await db
    .selectFrom('refunds')
    .select('id')
    .where('state', 'in', ['awaiting_approval', 'manual_review'])
    .orderBy('created_at')
    .execute();
  for (const [index, { id }] of waiting.entries()) {
    const minutes = [1_730, 395, 212, 48, 11][index] ?? 5;
    await sql`UPDATE refunds SET state_since = now() - ${minutes} * interval '1 minute' WHERE id = ${id}`.execute(
      db,
    );
    await sql`UPDATE cases SET opened_at = now() - ${minutes} * interval '1 minute' WHERE refund_id = ${id}`.execute(
      db,
    );
  }
}

async function signIn(context: BrowserContext, { url: address, key }: Visit): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${address}/console/`);
  await page.getByLabel('API key or token').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Queue' }).waitFor();
  await page
    .getByText('Live', { exact: true })
    .waitFor({ timeout: 5_000 })
    .catch(() => printOnStderr('the page shows no live updates'));
  return page;
}

async function forTheDocumentation(visit: Visit): Promise<void> {
  await mkdir(IMAGES, { recursive: true });
  const browser = await startChromium();
  for (const [name, address, colorScheme] of [
    ['console-queue', '', 'light'],
    ['console-refund', `refunds/${visit.examples.approval}`, 'dark'],
  ] as const) {
    const context = await browser.open({ viewport: WIDE, colorScheme });
    const page = await signIn(context, visit);
    await show(page, visit.url, address);
    await page.screenshot({ path: join(IMAGES, `${name}.png`) });
    await context.close();
    printOnStderr(`  docs/images/${name}.png`);
  }
  await browser.close();
}

async function everyPage(visit: Visit, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { examples } = visit;
  const browser = await startChromium();
  const pages = {
    queue: '',
    'queue-none': '?q=nothing+like+this',
    refunds: 'refunds',
    'refunds-none': 'refunds?state=settled',
    approval: `refunds/${examples.approval}`,
    review: `refunds/${examples.review}`,
    payment: `payments/${examples.payment}`,
    'search-several': 'search?q=ORD-20390',
    'search-none': 'search?q=ORD-0',
    nothing: 'elsewhere',
  };
  for (const [query, viewport, colorScheme] of [
    ['light', WIDE, 'light'],
    ['dark', WIDE, 'dark'],
    ['narrow', NARROW, 'light'],
  ] as const) {
    const context = await browser.open({ viewport, colorScheme });
    const first = await context.newPage();
    await first.goto(`${visit.url}/console/`);
    await first.getByLabel('API key or token').fill('rk_wrong_key');
    await first.getByRole('button', { name: 'Sign in' }).click();
    await first.getByRole('alert').waitFor();
    await first.screenshot({ path: join(folder, `sign-in-${query}.png`) });
    const page = await signIn(context, visit);
    for (const [name, address] of Object.entries(pages)) {
      await show(page, visit.url, address);
      await page.screenshot({ path: join(folder, `${name}-${query}.png`), fullPage: true });
    }
    await show(page, visit.url, `refunds/${examples.approval}`);
    const approve = page.getByRole('button', { name: 'Approve' });
    if ((await approve.count()) > 0) {
      await approve.click();
      await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
      await page.screenshot({ path: join(folder, `dialog-${query}.png`) });
      await page.keyboard.press('Escape');
    }
    await page.getByRole('button', { name: 'maria.keller' }).click();
    await page.screenshot({ path: join(folder, `operator-${query}.png`) });
    await page.keyboard.press('Escape');
    await show(page, visit.url, '');
    await page.keyboard.press('?');
    await page.screenshot({ path: join(folder, `help-${query}.png`) });
    await context.close();
    printOnStderr(`  ${folder}/*-${query}.png`);
  }
  await browser.close();
}

/** Opens a page and waits until its data is loaded. */
async function show(page: Page, base: string, address: string): Promise<void> {
  await page.goto(`${base}/console/${address}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.getByText('Loading…').first().waitFor({ state: 'detached' });
}
