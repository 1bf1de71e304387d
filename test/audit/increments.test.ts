/** Tests the incremental audit: it checks changed payments at once and all payments in slices, and repeats a violation until it is corrected. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditIncrement } from '../../ledger/maintenance/audit-progress.js';
import { auditLedger } from '../../ledger/maintenance/audit.js';
import { accepted, debit } from '../ledger/fixtures.js';
import { postgresLedger } from '../ledger/postgres.js';

const { database, ledger, url } = await postgresLedger();
const LIMITS = { statementTimeout: 30_000, examples: 100, slice: 2 };
const WHOLE = { ...LIMITS, within: 60_000 };
/** Leaves no time for the round: only the payments that changed are checked. */
const CHANGED_ALONE = { ...LIMITS, within: 0 };

const administrator = new pg.Client(url);
beforeAll(() => administrator.connect());
afterAll(() => administrator.end());
const tamper = async (statement: string, values: readonly unknown[]): Promise<void> => {
  await administrator.query('set session_replication_role = replica');
  await administrator.query(statement, [...values]);
  await administrator.query('set session_replication_role = origin');
};
const newPayment = async (): Promise<string> => {
  const facts = debit();
  await accepted(ledger, facts, 1_000n);
  return facts.id;
};

describe('the audit in increments', () => {
  it('checks every payment in its first round, one slice at a time', async () => {
    const ids = [];
    for (let n = 0; n < 5; n += 1) ids.push(await newPayment());
    const slices: number[] = [];
    const whole = await auditLedger(database.db, LIMITS, ({ paymentIds }) => {
      slices.push(paymentIds.length);
    });
    // First the schema, then two payments at a time.
    expect(slices).toEqual([0, 2, 2, 1]);
    expect(whole).toMatchObject({ payments: 5, violations: 0, complete: true });

    const first = await auditIncrement(database, WHOLE);
    expect(first).toMatchObject({ violations: 0, complete: true });
    expect(first.completeSince).toBeInstanceOf(Date);
  });

  it('reports a violation until the payment is checked again and correct', async () => {
    const id = await newPayment();
    await tamper('update payments set reserved_minor = reserved_minor + 1 where id = $1', [id]);
    const found = await auditIncrement(database, WHOLE);
    expect(found.violations).toBeGreaterThan(0);
    expect(found.invariants.find(({ invariant }) => invariant === 'I8')?.examples).toEqual([
      expect.stringContaining(`payment ${id}: reserved is 1001, its events add up to 1000`),
    ]);
    // This audit checks no slice of the round; the violation is still reported.
    const again = await auditIncrement(database, CHANGED_ALONE);
    expect(again.violations).toBe(found.violations);
    await tamper('update payments set reserved_minor = reserved_minor - 1 where id = $1', [id]);
    expect((await auditIncrement(database, WHOLE)).violations).toBe(0);
  });

  it('continues where it stopped, and checks a payment again that changed after its check', async () => {
    await auditIncrement(database, WHOLE);
    const ids = (await administrator.query<{ id: string }>('select id from payments order by id')).rows;
    // Sets the progress as if the last round had checked all payments but those after the first two.
    await administrator.query(
      'update audit_progress set slice_after = $1, events_through = (select max(id) from events)',
      [ids[1]?.id],
    );
    expect((await auditIncrement(database, WHOLE)).payments).toBe(ids.length - 2);

    await administrator.query('update audit_progress set events_through = (select max(id) from events)');
    const changed = await newPayment();
    await tamper("update payments set currency = 'USD' where id = $1", [changed]);
    const report = await auditIncrement(database, { ...LIMITS, within: 1 });
    expect(report.invariants.find(({ invariant }) => invariant === 'I6')?.examples).toHaveLength(1);
    await tamper("update payments set currency = 'EUR' where id = $1", [changed]);
  });
});

describe('one slice of the audit', () => {
  it('reads the rows of its payments by index, and not those of other payments', async () => {
    await administrator.query('set enable_seqscan = off');
    for (const table of ['refunds', 'attempts', 'events']) {
      const { rows } = await administrator.query(
        `explain (format json) select * from ${table} where payment_id = any($1::text[])`,
        [['a'.repeat(32)]],
      );
      expect(JSON.stringify(rows), table).toMatch(/Index Scan|Bitmap Index Scan/u);
    }
    await administrator.query('reset enable_seqscan');
  });
});
