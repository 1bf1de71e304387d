/** Links a gateway transaction to an attempt: an operator names the transaction, and what the gateway shows of it is the evidence. */
import { isSameOperator } from '../../domain/refund/operator-note.js';
import type { Timings } from '../../domain/refund/config.js';
import { isFinal } from '../../domain/refund/states.js';
import { ATTEMPT_EVIDENCE } from '../../domain/refund/attempt-states.js';
import { decidedBefore, executeOnce, refused, resulted, type Executed } from '../commands/command-results.js';
import { ageOf } from './attempt-age.js';

import { append } from '../core/events.js';
import { lockAttempt, lockRefund, type LockedAttempt } from '../core/locks.js';
import type { Database, Tx } from '../db/database.js';
import { apply, otherOwner } from './evidence.js';
import { returnCountOf } from './returned.js';
import type {
  LinkCommand,
  LinkRefusal,
  CommandResult,
  CommandRefusal,
  OperatorCommand,
} from '../core/commands.js';

export function link(
  database: Database,
  linkCommand: LinkCommand,
  timings: Timings,
): Promise<CommandResult<'link'>> {
  return executeOnce(
    database,
    (tx) => lockAttempt(tx, linkCommand.attemptId),
    { kind: 'link', operatorCommand: linkCommand, about: { attempt_id: linkCommand.attemptId } },
    (tx, locked) => linked(tx, locked, linkCommand, timings),
  );
}

/** Records that a transaction is not linked, because what the gateway shows fits no attempt or is not certain. */
export function refuseLink(
  database: Database,
  refundId: string,
  operatorCommand: OperatorCommand,
  why: LinkRefusal,
): Promise<CommandResult<'link'>> {
  return executeOnce(
    database,
    (tx) => lockRefund(tx, refundId),
    { kind: 'link', operatorCommand },
    async () => refused(why),
  );
}

async function linked(
  tx: Tx,
  locked: LockedAttempt,
  linkCommand: LinkCommand,
  timings: Timings,
): Promise<Executed<'link'>> {
  const { attempt, refund, payment } = locked;
  const { by, reason, ticket, gatewayId, outcome, code } = linkCommand;
  const { description, settlement, cardLast4 } = linkCommand;
  const turn = await returnCountOf(tx, attempt);
  const key = `attempt:${attempt.id}:adopted:${gatewayId}${turn === 0 ? '' : `:${turn}`}`;
  const before = await decidedBefore(tx, refund.id, 'link', key);
  if (before !== undefined)
    return isSameOperator(before.by, by) ? resulted({ kind: 'done' }) : refused('already_decided', before.by);
  if ((await otherOwner(tx, attempt.id, gatewayId)) !== undefined) return refused('linked_elsewhere');
  if (attempt.gateway_id === gatewayId && attempt.state === outcome.kind) return resulted({ kind: 'done' });
  const objection = await objectionTo(tx, locked, linkCommand, timings);
  if (objection !== undefined) return refused(objection);
  await append(tx, {
    key,
    type: 'attempt.linked',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    actor: by,
    data: { gatewayId, outcome: outcome.kind, reason, ...(ticket === undefined ? {} : { ticket }) },
  });
  await apply(tx, await lockAttempt(tx, attempt.id), {
    ...{ attemptId: attempt.id, source: 'query', asked: linkCommand.asked, outcome, code },
    ...(description === undefined ? {} : { description }),
    ...(settlement === undefined ? {} : { settlement }),
    ...(cardLast4 === undefined ? {} : { cardLast4 }),
  });
  return resulted({ kind: 'done' }, { instruction: key, state: 'done' });
}

async function objectionTo(
  tx: Tx,
  { attempt, refund }: LockedAttempt,
  { outcome, asked, hasNoReference, gateway }: LinkCommand,
  { visibilityLag }: Timings,
): Promise<CommandRefusal | undefined> {
  if (attempt.submissions !== asked.send) return 'superseded';
  const isSecond = outcome.kind === 'succeeded' && attempt.state === 'succeeded' && !hasNoReference;
  if (!isSecond && !ATTEMPT_EVIDENCE[outcome.kind].includes(attempt.state)) return 'attempt_final';
  // A refund that ended unpaid is reopened only by a transaction that succeeded.
  if (outcome.kind !== 'succeeded' && isFinal(refund.state)) return 'attempt_final';
  if (outcome.kind === 'rejected' && attempt.state === 'submitting') return 'too_early';
  if (!hasNoReference) return undefined;
  // Without a reference only the operator says that the transaction is this attempt. It is refused while the attempt itself may still be
  // in transit, …
  const { sinceSendByMs } = await ageOf(tx, attempt);
  if (sinceSendByMs <= visibilityLag) return 'too_early';
  // … and a declined transaction, after which another attempt may follow, is refused while another transaction may be this attempt.
  if (outcome.kind !== 'rejected' || gateway === 'silent') return undefined;
  return gateway === 'unavailable' || gateway === 'none' ? 'gateway_unavailable' : 'gateway_contradicts';
}
