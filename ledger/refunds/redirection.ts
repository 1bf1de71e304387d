/**
 * Changes the destination of a credit while the refund is in review. The new destination is checked again and approved by a second
 * operator.
 */
import { isSamePerson } from '../../domain/refund/people.js';
import { isOpenAttempt } from '../../domain/refund/states.js';
import { append } from '../core/events.js';
import { lockRefund, type Locked } from '../core/locks.js';
import { move } from '../core/state-changes.js';
import {
  executeOnce,
  openProposal,
  redirectors,
  refused,
  resulted,
  type Executed,
} from '../commands/command-results.js';
import type { Database, Tx } from '../db/database.js';
import type { CommandResult, Redirection } from '../core/people.js';

export function redirect(database: Database, redirection: Redirection): Promise<CommandResult<'redirect'>> {
  return executeOnce(
    database,
    (tx) => lockRefund(tx, redirection.refundId),
    { kind: 'redirect', said: redirection, about: { instruction: redirection.registrationId } },
    (tx, locked) => redirected(tx, locked, redirection),
  );
}

async function redirected(
  tx: Tx,
  { refund, payment, attempts }: Locked,
  { registrationId, by, reason, ticket }: Redirection,
): Promise<Executed<'redirect'>> {
  const before = await redirectors(tx, refund.id);
  const last = before.at(-1);
  if (refund.state !== 'manual_review') {
    if (last === undefined || refund.destination?.registrationId !== registrationId)
      return refused('not_in_review');
    return isSamePerson(last, by) ? resulted({ kind: 'done' }) : refused('already_decided', last);
  }
  if (attempts.some((attempt) => isOpenAttempt(attempt.state) || attempt.state === 'absent'))
    return refused('may_have_left');
  // An open proposal says that it was paid or never will be: the second operator decides on that first.
  const proposal = await openProposal(tx, refund.id);
  if (proposal !== undefined) return refused('proposal_open', proposal.by);
  const present = refund.destination?.registrationId ?? payment.registration_id;
  if (present === registrationId) return refused('same_destination');
  await tx
    .updateTable('refunds')
    .set({ destination: JSON.stringify({ registrationId }) })
    .where('id', '=', refund.id)
    .execute();
  await append(tx, {
    key: `refund:${refund.id}:redirected:${before.length + 1}`,
    type: 'refund.redirected',
    paymentId: payment.id,
    refundId: refund.id,
    actor: by,
    data: {
      from: present,
      to: registrationId,
      reason,
      ...(ticket === undefined ? {} : { ticket }),
    },
  });
  await move(tx, refund, { on: 'redirect', actor: by });
  return resulted({ kind: 'done' }, { state: 'done' });
}
