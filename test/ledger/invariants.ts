/** I1 to I8 read from the real tables: everything that must hold at every moment, whatever happened before. */
import { sql, type Kysely } from 'kysely';
import {
  FINAL_STATES,
  isOpenAttempt,
  REFUND_STATES,
  REFUND_TRANSITIONS,
  type RefundState,
} from '../../domain/states.js';
import type { Tables } from '../../ledger/database.js';

/** One sentence for each thing that is wrong. Reads one snapshot. */
export function violationsOf(database: Kysely<Tables>): Promise<string[]> {
  return database
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (db) => [
      ...(await wrongBalances(db)),
      ...(await wrongReservations(db)),
      ...(await wrongAttempts(db)),
      ...(await wrongCredits(db)),
      ...(await wrongMoves(db)),
    ]);
}

/** I1, and that a balance is nothing but the sum of its events. */
async function wrongBalances(db: Kysely<Tables>): Promise<string[]> {
  const rows = await db
    .selectFrom('payments')
    .leftJoin('events', 'events.payment_id', 'payments.id')
    .select([
      'payments.id',
      'reserved_minor',
      'succeeded_minor',
      'returned_minor',
      'disputed_minor',
      'excess_minor',
    ])
    .select(['captured_minor', 'authorized_minor'])
    .select([
      sql<string>`coalesce(sum(reserved_delta), 0)::text`.as('reserved'),
      sql<string>`coalesce(sum(succeeded_delta), 0)::text`.as('succeeded'),
      sql<string>`coalesce(sum(returned_delta), 0)::text`.as('returned'),
      sql<string>`coalesce(sum(disputed_delta), 0)::text`.as('disputed'),
    ])
    .groupBy('payments.id')
    .execute();
  return rows.flatMap((row) => {
    const wrong: string[] = [];
    const compare = (name: string, stored: bigint, summed: string) => {
      if (stored !== BigInt(summed))
        wrong.push(`payment ${row.id}: ${name} is ${stored}, its events say ${summed}`);
    };
    compare('reserved', row.reserved_minor, row.reserved);
    compare('succeeded', row.succeeded_minor, row.succeeded);
    compare('returned', row.returned_minor, row.returned);
    compare('disputed', row.disputed_minor, row.disputed);
    const used = row.reserved_minor + row.succeeded_minor - row.returned_minor + row.disputed_minor;
    const limit = row.captured_minor > 0n ? row.captured_minor : row.authorized_minor;
    if (used > limit + row.excess_minor)
      wrong.push(`payment ${row.id}: I1: ${used} of ${limit} are given or promised`);
    if (row.excess_minor > 0n && row.excess_minor > used - limit)
      wrong.push(`payment ${row.id}: the excess is too large`);
    return wrong;
  });
}

/** Held is what is still owed while a refund is under way, and nothing when it has ended. */
async function wrongReservations(db: Kysely<Tables>): Promise<string[]> {
  const rows = await db
    .selectFrom('refunds')
    .select(['id', 'state', 'amount_minor'])
    .select((eb) => [
      eb
        .selectFrom('events')
        .select(sql<string>`coalesce(sum(reserved_delta), 0)::text`.as('held'))
        .whereRef('refund_id', '=', 'refunds.id')
        .as('held'),
      eb
        .selectFrom('attempts')
        .select(sql<string>`coalesce(sum(amount_minor), 0)::text`.as('paid'))
        .whereRef('refund_id', '=', 'refunds.id')
        .where('state', '=', 'succeeded')
        .as('paid'),
      eb
        .selectFrom('events')
        .select(sql<boolean>`count(*) > 0`.as('ended'))
        .whereRef('refund_id', '=', 'refunds.id')
        .where('type', 'in', ['refund.failed', 'refund.canceled', 'refund.closed_by_dispute'])
        .as('ended'),
    ])
    .execute();
  return rows.flatMap(({ id, state, amount_minor, held, paid, ended }) => {
    const isHeld = BigInt(held ?? '0');
    const owed = amount_minor - BigInt(paid ?? '0');
    if (FINAL_STATES.includes(state))
      return isHeld === 0n ? [] : [`refund ${id} is ${state} and still holds ${isHeld}`];
    const expected = owed > 0n && ended !== true ? owed : 0n;
    return isHeld === expected ? [] : [`refund ${id} is ${state}, holds ${isHeld} and owes ${owed}`];
  });
}

/** I2, and that each attempt's money is in the events exactly once. */
async function wrongAttempts(db: Kysely<Tables>): Promise<string[]> {
  const rows = await db
    .selectFrom('attempts')
    .innerJoin('refunds', 'refunds.id', 'attempts.refund_id')
    .selectAll('attempts')
    .select(['refunds.state as refund_state', 'refunds.amount_minor as promised'])
    .select((eb) => [
      eb
        .selectFrom('events')
        .select(sql<string>`coalesce(sum(succeeded_delta), 0)::text`.as('paid'))
        .whereRef('attempt_id', '=', 'attempts.id')
        .where('type', '=', 'attempt.succeeded')
        .as('paid'),
      eb
        .selectFrom('events')
        .select(sql<string>`coalesce(sum(returned_delta), 0)::text`.as('back'))
        .whereRef('attempt_id', '=', 'attempts.id')
        .as('back'),
      eb
        .selectFrom('events')
        .select(sql<string>`count(*)::text`.as('sends'))
        .whereRef('attempt_id', '=', 'attempts.id')
        .where('type', '=', 'attempt.submitted')
        .as('submissions'),
    ])
    .execute();
  const unfinished = new Map<string, number>();
  const wrong: string[] = [];
  for (const row of rows) {
    if (isOpenAttempt(row.state)) unfinished.set(row.refund_id, (unfinished.get(row.refund_id) ?? 0) + 1);
    const paid = row.state === 'succeeded' || row.state === 'returned' ? row.amount_minor : 0n;
    const back = row.state === 'returned' ? row.amount_minor : 0n;
    if (BigInt(row.paid ?? '0') !== paid)
      wrong.push(`attempt ${row.id} is ${row.state}, events have ${row.paid} paid`);
    if (BigInt(row.back ?? '0') !== back)
      wrong.push(`attempt ${row.id} is ${row.state}, events have ${row.back} back`);
    if (row.amount_minor > row.promised) wrong.push(`attempt ${row.id} is larger than its refund`);
    if (Number(row.submissions) !== row.sends)
      wrong.push(`attempt ${row.id}: ${row.sends} sends, ${row.submissions} events`);
    if (row.state === 'succeeded' && row.gateway_id === null)
      wrong.push(`attempt ${row.id} is paid without a gateway id`);
    if (isOpenAttempt(row.state) && FINAL_STATES.includes(row.refund_state))
      wrong.push(`refund ${row.refund_id} is ${row.refund_state} with an open attempt`);
  }
  for (const [refund, open] of unfinished)
    if (open > 1) wrong.push(`refund ${refund}: I2: ${open} open attempts`);
  return wrong;
}

/** I3, as far as tables show it: a credit is never the first thing tried, and its reference is nobody else's. */
async function wrongCredits(db: Kysely<Tables>): Promise<string[]> {
  const rows = await db
    .selectFrom('attempts as credit')
    .select('credit.id')
    .where('credit.way', '=', 'credit')
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('attempts as before')
            .select('before.id')
            .whereRef('before.refund_id', '=', 'credit.refund_id')
            .whereRef('before.number', '<', 'credit.number')
            .where('before.way', '=', 'refund')
            // A refused one that turned out paid, or came back, was refused when the credit was opened.
            .where('before.state', 'in', ['rejected', 'succeeded', 'returned']),
        ),
      ),
    )
    .execute();
  return rows.map(({ id }) => `I3: credit ${id} has no refused refund before it`);
}

/** I4 and I5: every recorded change of state is one that the machine has. */
async function wrongMoves(db: Kysely<Tables>): Promise<string[]> {
  const rows = await db
    .selectFrom('events')
    .select(['refund_id', 'type'])
    .where('refund_id', 'is not', null)
    .where('type', 'like', 'refund.%')
    .orderBy('id')
    .execute();
  const at = new Map<string, RefundState>();
  const wrong: string[] = [];
  for (const { refund_id, type } of rows) {
    const to = REFUND_STATES.find((state) => `refund.${state}` === type);
    if (to === undefined || refund_id === null) continue;
    const from = at.get(refund_id);
    at.set(refund_id, to);
    if (from === undefined || from === to) continue;
    if (!REFUND_TRANSITIONS.some((transition) => transition.to === to && transition.from.includes(from)))
      wrong.push(`refund ${refund_id} went from ${from} to ${to}`);
  }
  const stored = await db.selectFrom('refunds').select(['id', 'state']).execute();
  for (const { id, state } of stored)
    if (at.get(id) !== state)
      wrong.push(`refund ${id} is ${state}, its events say ${at.get(id) ?? 'nothing'}`);
  return wrong;
}
