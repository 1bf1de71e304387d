/** Links a gateway transaction to an attempt: an operator names the transaction, and what the gateway shows of it is the evidence. */
import { isSamePerson } from '../../domain/refund/people.js';
import type { Timings } from '../../domain/refund/plan.js';
import { ATTEMPT_EVIDENCE, isFinal } from '../../domain/refund/states.js';
import { decidedBefore, executeOnce, refused, resulted, type Executed } from '../commands/command-results.js';
import { ageOf } from './attempt-age.js';

import { append } from '../core/events.js';
import { lockAttempt, lockRefund, type LockedAttempt } from '../core/locks.js';
import type { Database, Tx } from '../db/database.js';
import { apply, otherOwner } from './evidence.js';
import { turnOf } from './returned.js';
import type {
  Adoption,
  AdoptRefusal,
  CommandResult,
  PersonRefusal,
  OperatorCommand,
} from '../core/people.js';

export function adopt(
  database: Database,
  adoption: Adoption,
  timings: Timings,
): Promise<CommandResult<'adopt'>> {
  return executeOnce(
    database,
    (tx) => lockAttempt(tx, adoption.attemptId),
    { kind: 'adopt', said: adoption, about: { attempt_id: adoption.attemptId } },
    (tx, locked) => adopted(tx, locked, adoption, timings),
  );
}

/** Records that a transaction is not linked, because what the gateway shows fits no attempt or is not certain. */
export function refuseAdoption(
  database: Database,
  refundId: string,
  said: OperatorCommand,
  why: AdoptRefusal,
): Promise<CommandResult<'adopt'>> {
  return executeOnce(
    database,
    (tx) => lockRefund(tx, refundId),
    { kind: 'adopt', said },
    async () => refused(why),
  );
}

async function adopted(
  tx: Tx,
  locked: LockedAttempt,
  adoption: Adoption,
  timings: Timings,
): Promise<Executed<'adopt'>> {
  const { attempt, refund, payment } = locked;
  const { by, reason, ticket, gatewayId, outcome, code, description } = adoption;
  const turn = await turnOf(tx, attempt);
  const key = `attempt:${attempt.id}:adopted:${gatewayId}${turn === 0 ? '' : `:${turn}`}`;
  const before = await decidedBefore(tx, refund.id, 'adopt', key);
  if (before !== undefined)
    return isSamePerson(before.by, by) ? resulted({ kind: 'done' }) : refused('already_decided', before.by);
  if ((await otherOwner(tx, attempt.id, gatewayId)) !== undefined) return refused('belongs_to_another');
  if (attempt.gateway_id === gatewayId && attempt.state === outcome.kind) return resulted({ kind: 'done' });
  const objection = await objectionTo(tx, locked, adoption, timings);
  if (objection !== undefined) return refused(objection);
  await append(tx, {
    key,
    type: 'attempt.adopted',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    actor: by,
    data: { gatewayId, outcome: outcome.kind, reason, ...(ticket === undefined ? {} : { ticket }) },
  });
  await apply(tx, await lockAttempt(tx, attempt.id), {
    ...{ attemptId: attempt.id, source: 'look_up', asked: adoption.asked, outcome, code, description },
  });
  return resulted({ kind: 'done' }, { instruction: key, state: 'done' });
}

async function objectionTo(
  tx: Tx,
  { attempt, refund }: LockedAttempt,
  { outcome, asked, isBare, gateway }: Adoption,
  { visibilityLag }: Timings,
): Promise<PersonRefusal | undefined> {
  if (attempt.sends !== asked.send) return 'overtaken';
  const isSecond = outcome.kind === 'succeeded' && attempt.state === 'succeeded' && !isBare;
  if (!isSecond && !ATTEMPT_EVIDENCE[outcome.kind].includes(attempt.state)) return 'attempt_is_over';
  // A refund that ended unpaid is reopened only by a transaction that succeeded.
  if (outcome.kind !== 'succeeded' && isFinal(refund.state)) return 'attempt_is_over';
  if (outcome.kind === 'rejected' && attempt.state === 'submitting') return 'too_early';
  if (!isBare) return undefined;
  // Without a reference only the operator says that the transaction is this attempt. It is refused while the attempt itself may still be
  // in transit, …
  const { sinceSendByMs } = await ageOf(tx, attempt);
  if (sinceSendByMs <= visibilityLag) return 'too_early';
  // … and a declined transaction, after which another attempt may follow, is refused while another transaction may be this attempt.
  if (outcome.kind !== 'rejected' || gateway === 'silent') return undefined;
  return gateway === 'unavailable' || gateway === 'none' ? 'gateway_unavailable' : 'gateway_contradicts';
}
