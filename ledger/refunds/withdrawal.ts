/** Withdraws a refund of which no money has left. */
import { isSameOperator } from '../../domain/refund/operator-note.js';
import { afterTrigger, CLOSED_STATES, isFinal } from '../../domain/refund/states.js';
import { lockRefund, type AttemptRow, type LockedRefund, type RefundRow } from '../core/locks.js';
import { executeOnce, refused, resulted, type Executed } from '../commands/command-results.js';
import { mayBeSettledOutside } from '../payments/coverage.js';
import type { Database, Tx } from '../db/database.js';
import { mayHaveLeft, end } from './ends.js';
import { NOW } from '../db/expressions.js';
import type { CommandResult, ReturnProof } from '../core/commands.js';

export function withdraw(
  database: Database,
  refundId: string,
  by: string,
  reason: string,
  ticket?: string,
  commandId?: string,
  stillReturned: readonly ReturnProof[] = [],
): Promise<CommandResult<'withdraw'>> {
  const operatorCommand = { by, reason, commandId, ...(ticket === undefined ? {} : { ticket }) };
  return executeOnce(
    database,
    (tx) => lockRefund(tx, refundId),
    { kind: 'withdraw', operatorCommand },
    (tx, locked) => withdrawal(tx, locked, { by, reason, ticket, stillReturned }),
  );
}

async function withdrawal(
  tx: Tx,
  locked: LockedRefund,
  operatorCommand: {
    readonly by: string;
    readonly reason: string;
    readonly ticket: string | undefined;
    readonly stillReturned: readonly ReturnProof[];
  },
): Promise<Executed<'withdraw'>> {
  const { by, reason, ticket, stillReturned } = operatorCommand;
  const { refund, attempts } = locked;
  const before = isFinal(refund.state) ? await endedBy(tx, refund) : undefined;
  if (refund.state === 'canceled' || before !== undefined) {
    // A cancellation by the workflow is not an operator's command: it is satisfied if the refund is already withdrawn.
    return before === undefined || by === CANCELLATION || isSameOperator(before, by)
      ? resulted({ kind: 'withdrawn' })
      : refused('already_decided', before);
  }
  if (isFinal(refund.state)) return refused('final');
  if (
    (await mayBePaidAgain(tx, attempts, stillReturned)) ||
    mayHaveLeft(locked) ||
    // A cancellation does not decide about money that may be settled outside. An operator sees the case and may withdraw.
    (by === CANCELLATION && (await mayBeSettledOutside(tx, locked))) ||
    afterTrigger(refund.state, 'withdraw') === undefined
  )
    return refused('may_have_left');
  await end(tx, locked, {
    on: 'withdraw',
    why: reason,
    actor: by,
    ...(ticket === undefined ? {} : { data: { ticket } }),
  });
  return resulted({ kind: 'withdrawn' });
}

/** Milliseconds for which a query proves that a returned attempt was not shown as paid again. */
const PROOF_FOR = 60_000;

async function mayBePaidAgain(
  tx: Tx,
  attempts: readonly AttemptRow[],
  stillReturned: readonly ReturnProof[],
): Promise<boolean> {
  const returned = attempts.filter(({ state }) => state === 'returned');
  if (returned.length === 0) return false;
  const { now } = await tx.selectNoFrom([NOW.as('now')]).executeTakeFirstOrThrow();
  const fresh = stillReturned.filter(({ at }) => now.getTime() - at.getTime() <= PROOF_FOR);
  return returned.some(({ id }) => !fresh.some(({ attemptId }) => attemptId === id));
}

/** Actor of a withdrawal that a canceled workflow requests. */
const CANCELLATION = 'cancellation';

/** Returns the operator who withdrew the refund, also if it then ended as settled outside. Undefined if the program ended it. */
async function endedBy(tx: Tx, { id, state }: RefundRow): Promise<string | undefined> {
  if (!CLOSED_STATES.includes(state) || state === 'failed') return undefined;
  const events = await tx
    .selectFrom('events')
    .select('actor')
    .where('refund_id', '=', id)
    .where('type', '=', `refund.${state}`)
    .orderBy('id')
    .execute();
  const actor = events.at(-1)?.actor;
  return actor === 'system' ? undefined : actor;
}
