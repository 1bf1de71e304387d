/**
 * Replays a refund in review from its first step that was not submitted, with fresh budgets; finds refunds that wait for the same cause.
 */
import { sql } from 'kysely';
import { isReplayable, replayStep, type ReplayStep } from '../../domain/refund/replay.js';
import { isFinal, type RefundTrigger } from '../../domain/refund/states.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import {
  executeOnce,
  openProposal,
  redirectors,
  refused,
  resulted,
  type Executed,
} from '../commands/command-results.js';
import { append, reservedFor } from '../core/events.js';
import { lockRefund, type AttemptRow, type LockedRefund } from '../core/locks.js';
import { move } from '../core/state-changes.js';
import type { Database, Tx } from '../db/database.js';
import type { CommandResult, BulkCursor, Replay, Waiting, WaitingSums } from '../core/commands.js';
import { remainingOf } from '../core/balances.js';

const TRIGGERS: Readonly<Record<ReplayStep, RefundTrigger>> = {
  send: 'replay',
  credit: 'check_again',
  compare: 'compare_again',
};

/** Moves the refund back without submitting anything. Of two operators at once, the second finds a refund that has left review. */
export function replay(database: Database, order: Replay): Promise<CommandResult<'replay'>> {
  return executeOnce(
    database,
    (tx) => lockRefund(tx, order.refundId),
    { kind: 'replay', operatorCommand: order },
    (tx, locked) => replayed(tx, locked, order),
  );
}

async function replayed(tx: Tx, locked: LockedRefund, order: Replay): Promise<Executed<'replay'>> {
  const { refund, attempts } = locked;
  const refusal = await againstReplaying(tx, locked);
  if (refusal !== undefined) return refusal;
  const destinationChanged = await redirectors(tx, refund.id);
  const last = attempts.at(-1) ?? null;
  const step = replayStep({
    why: refund.why,
    blocks: refund.blocks ?? [],
    unreadFor: refund.unread_for,
    isDestinationChanged: destinationChanged.length > 0,
    last,
  });
  await remove(tx, locked, step, last);
  const { by, reason, ticket, bulk } = order;
  await append(tx, {
    key: `refund:${refund.id}:taken_back:${refund.replays + 1}`,
    type: 'refund.replayed',
    paymentId: refund.payment_id,
    refundId: refund.id,
    actor: by,
    data: {
      step,
      case: refund.why,
      reason,
      ...(ticket === undefined ? {} : { ticket }),
      ...(bulk === undefined ? {} : { bulk }),
    },
  });
  await move(tx, refund, { on: TRIGGERS[step], actor: by });
  return resulted({ kind: 'replayed', step });
}

async function againstReplaying(tx: Tx, locked: LockedRefund): Promise<Executed<'replay'> | undefined> {
  const { refund, attempts } = locked;
  if (isFinal(refund.state)) return refused('final');
  if (refund.state !== 'manual_review') return refused('not_in_review');
  if (attempts.some(({ state }) => isOpenAttempt(state))) return refused('may_have_left');
  const proposal = await openProposal(tx, refund.id);
  if (proposal !== undefined) return refused('proposal_open', proposal.by);
  const cases = await tx
    .selectFrom('cases')
    .select('why')
    .where('refund_id', '=', refund.id)
    .where('closed_at', 'is', null)
    .execute();
  if (![...cases.map(({ why }) => why), refund.why ?? ''].every(isReplayable))
    return refused('case_not_replayable');
  // A refund that was final and turned out partly paid has no reservation: submitting the rest would exceed the balance.
  const owed = remainingOf(locked);
  return owed > 0n && (await reservedFor(tx, refund.id)) >= owed ? undefined : refused('case_not_replayable');
}

/**
 * Starts new attempt limits: earlier attempts no longer count. The attempt that the replay continues from (absent, or declined and compared
 * again) still counts.
 */
async function remove(
  tx: Tx,
  { refund }: LockedRefund,
  step: ReplayStep,
  last: AttemptRow | null,
): Promise<void> {
  const isAbsent = last?.state === 'absent';
  if (isAbsent)
    await tx
      .updateTable('attempts')
      .set({ submissions_before: last.submissions })
      .where('id', '=', last.id)
      .execute();
  const number = last?.number ?? 0;
  await tx
    .updateTable('refunds')
    .set({
      replays: refund.replays + 1,
      attempts_before_replay: isAbsent || step === 'compare' ? Math.max(number - 1, 0) : number,
      blocks: null,
    })
    .where('id', '=', refund.id)
    .execute();
}

/** Returns the number of refunds in review for this cause, and their amounts by currency. */
export async function reviewSums({ db }: Database, { case: why, since }: Waiting): Promise<WaitingSums> {
  const { rows } = await sql<{ currency: string; count: number; sum: string; newest: string }>`
    select r.currency, count(*)::int as count, sum(r.amount_minor)::text as sum, max(c.id)::text as newest
    from cases c join refunds r on r.id = c.refund_id
    where c.closed_at is null and c.why = ${why} and r.state = 'manual_review'
      and (${since ?? null}::timestamptz is null or c.opened_at >= ${since ?? null}::timestamptz)
    group by r.currency order by r.currency`.execute(db);
  return {
    count: rows.reduce((total, { count }) => total + count, 0),
    sums: Object.fromEntries(rows.map(({ currency, sum }) => [currency, sum])),
    upTo: rows.reduce((newest, row) => (BigInt(row.newest) > newest ? BigInt(row.newest) : newest), 0n),
  };
}

/** Returns the next refunds in review for this cause, oldest case first. */
export async function nextInReview(
  { db }: Database,
  { case: why, since }: Waiting,
  { after, upTo }: BulkCursor,
  limit: number,
): Promise<readonly { readonly caseId: bigint; readonly refundId: string }[]> {
  const { rows } = await sql<{ id: string; refund_id: string }>`
    select c.id::text as id, c.refund_id
    from cases c join refunds r on r.id = c.refund_id
    where c.closed_at is null and c.why = ${why} and r.state = 'manual_review'
      and (${since ?? null}::timestamptz is null or c.opened_at >= ${since ?? null}::timestamptz)
      and c.id > ${after.toString()}::bigint and c.id <= ${upTo.toString()}::bigint
    order by c.id limit ${limit}`.execute(db);
  return rows.map(({ id, refund_id }) => ({ caseId: BigInt(id), refundId: refund_id }));
}
