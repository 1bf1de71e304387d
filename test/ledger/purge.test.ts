/** Purging: queries, webhooks and results of commands are kept as long as they may be needed. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { purge } from '../../ledger/maintenance/purge.js';
import { accepted, answer, debit, lost, order, paid, submitted } from './fixtures.js';
import { postgresLedger } from './postgres.js';

const { ledger, database } = await postgresLedger();
const { db } = database;
const NOW = { keptMs: 3_600_000, thinAfterMs: 3_600_000, batch: 3, pauseMs: 0 };

/** Creates a refund on a payment of its own, whose attempt was paid or whose answer was lost. */
async function fixture(
  outcome: 'paid' | 'open',
): Promise<{ readonly id: string; readonly attemptId: string; readonly paymentId: string }> {
  const facts = debit();
  const id = await accepted(ledger, facts, 1_000n);
  const sent = await submitted(ledger, id);
  await ledger.record(answer(sent, outcome === 'paid' ? paid() : lost));
  return { id, attemptId: sent.attemptId, paymentId: facts.id };
}
const queries = async (attemptId: string, answers: readonly string[], hoursAgo: number): Promise<void> => {
  for (const text of answers)
    await sql`insert into queries (attempt_id, answer, at) values (${attemptId}, ${text}, now() - ${hoursAgo} * interval '1 hour')`.execute(
      db,
    );
};
const answersOf = async (attemptId: string): Promise<readonly string[]> =>
  (
    await sql<{
      answer: string;
    }>`select answer from queries where attempt_id = ${attemptId} order by id`.execute(db)
  ).rows.map((row) => row.answer);
const endedHoursAgo = (id: string, hours: number) =>
  sql`update refunds set state_since = now() - ${hours} * interval '1 hour' where id = ${id}`.execute(db);
const openCase = (paymentId: string, id: string) =>
  sql`insert into cases (payment_id, refund_id, why) values (${paymentId}, ${id}, 'paid_twice')`.execute(db);

describe('queries of the gateway', () => {
  it('of an attempt that stays open are reduced to those whose answer changed', async () => {
    const { attemptId } = await fixture('open');
    const same = Array.from({ length: 10 }, () => 'not found');
    await queries(attemptId, [...same, '900.100.100', ...same], 2);
    await queries(attemptId, ['not found', 'not found'], 0);
    await purge(database, NOW);
    expect(await answersOf(attemptId)).toEqual([
      'not found',
      'not found',
      '900.100.100',
      'not found',
      'not found',
      'not found',
    ]);
    const again = await purge(database, NOW);
    expect(again.queries).toBe(0);
  });

  it('of a refund that ended long ago are deleted, but not while a case is open', async () => {
    const [over, young, withCase] = [await fixture('paid'), await fixture('paid'), await fixture('paid')];
    for (const { attemptId } of [over, young, withCase]) await queries(attemptId, ['a', 'b'], 2);
    for (const { id } of [over, withCase]) await endedHoursAgo(id, 2);
    await openCase(withCase.paymentId, withCase.id);
    await purge(database, NOW);
    expect(await answersOf(over.attemptId)).toEqual([]);
    expect(await answersOf(young.attemptId)).toEqual(['a', 'b']);
    expect(await answersOf(withCase.attemptId)).toEqual(['a', 'b']);
  });
});

describe('notifications', () => {
  const notification = async (
    state: string,
    more: { readonly hoursAgo: number; readonly paymentId?: string; readonly isDue?: boolean },
  ) =>
    (
      await sql<{ id: bigint }>`
        insert into webhooks (natural_key, kind, state, payment_id, received_at, due_at)
        values (gen_random_uuid()::text, 'PAYMENT', ${state}, ${more.paymentId ?? null},
          now() - ${more.hoursAgo} * interval '1 hour', ${more.isDue === true ? sql`now()` : sql`null`})
        returning id`.execute(db)
    ).rows[0]?.id;

  it('are deleted when they are processed, and not while a case is open', async () => {
    const { id, paymentId } = await fixture('open');
    await openCase(paymentId, id);
    const kept = [
      await notification('processed', { hoursAgo: 0 }),
      await notification('received', { hoursAgo: 2, isDue: true }),
      await notification('processed', { hoursAgo: 2, isDue: true }),
      await notification('processed', { hoursAgo: 2, paymentId }),
    ];
    for (let n = 0; n < 4; n += 1)
      for (const state of ['processed', 'unmatched', 'ignored']) await notification(state, { hoursAgo: 2 });
    expect((await purge(database, NOW)).webhooks).toBe(12);
    const { rows } = await sql<{ id: bigint }>`select id from webhooks order by id`.execute(db);
    expect(rows.map((row) => row.id)).toEqual(kept);
  });
});

describe('results of commands', () => {
  const commanded = (id: string, paymentId: string, name: string, state: string | null) =>
    sql`insert into command_results (refund_id, payment_id, command, command_id, by, author, reason, instruction, result, state, at)
      values (${id}, ${paymentId}, 'decide', ${name}, 'berta', 'berta', 'checked', ${name}, '{}', ${state}, now() - interval '2 hours')`.execute(
      db,
    );

  it('are deleted when their refund ended long ago, except decisions', async () => {
    const [over, open] = [await fixture('paid'), await fixture('open')];
    await endedHoursAgo(over.id, 2);
    for (const { id, paymentId } of [over, open]) {
      for (let n = 0; n < 5; n += 1) await commanded(id, paymentId, `refused ${n}`, null);
      await commanded(id, paymentId, 'approval', 'approved');
    }
    expect((await purge(database, NOW)).command_results).toBe(5);
    const { rows } = await sql<{ id: string; count: number }>`
      select refund_id as id, count(*)::integer as count from command_results group by refund_id`.execute(db);
    expect(new Map(rows.map(({ id, count }) => [id, count]))).toEqual(
      new Map([
        [over.id, 1],
        [open.id, 6],
      ]),
    );
  });

  it('are deleted without any row that a later acceptance or final state needs', async () => {
    const facts = debit();
    const id = await accepted(ledger, facts, 1_000n);
    await purge(database, { ...NOW, keptMs: 0, thinAfterMs: 0 });
    expect((await ledger.accept(order(facts.id, 1_000n), null)).isNew).toBe(true);
    expect((await ledger.findRefund(id))?.state).toBe('reserved');
  });
});
