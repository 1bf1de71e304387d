/**
 * Changes the destination of a credit while the refund is in review. The new destination is checked again and approved by a second
 * operator.
 */
import { isSameOperator } from '../../domain/refund/operator-note.js';
import { destinationId, destinationOf, isCardDestination } from '../../domain/refund/destination.js';
import { isOpenAttempt } from '../../domain/refund/attempt-states.js';
import { cardState } from '../cards/card-state.js';
import { append } from '../core/events.js';
import { lockRefund, type LockedRefund } from '../core/locks.js';
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
import type { CommandResult, DestinationChange } from '../core/commands.js';

export function changeDestination(
  database: Database,
  destinationChange: DestinationChange,
): Promise<CommandResult<'change_destination'>> {
  return executeOnce(
    database,
    (tx) => lockRefund(tx, destinationChange.refundId),
    {
      kind: 'change_destination',
      operatorCommand: destinationChange,
      about: { instruction: destinationId(destinationOf(destinationChange)) },
    },
    (tx, locked) => destinationChanged(tx, locked, destinationChange),
  );
}

async function destinationChanged(
  tx: Tx,
  { refund, payment, attempts }: LockedRefund,
  destinationChange: DestinationChange,
): Promise<Executed<'change_destination'>> {
  const { by, reason, ticket } = destinationChange;
  const destination = destinationOf(destinationChange);
  const to = destinationId(destination);
  const before = await redirectors(tx, refund.id);
  const last = before.at(-1);
  if (refund.state !== 'manual_review') {
    if (last === undefined || refund.destination === null || destinationId(refund.destination) !== to)
      return refused('not_in_review');
    return isSameOperator(last, by) ? resulted({ kind: 'done' }) : refused('already_decided', last);
  }
  if (attempts.some((attempt) => isOpenAttempt(attempt.state) || attempt.state === 'absent'))
    return refused('may_have_left');
  // An open proposal says that it was paid or never will be: the second operator decides on that first.
  const proposal = await openProposal(tx, refund.id);
  if (proposal !== undefined) return refused('proposal_open', proposal.by);
  const present = refund.destination === null ? payment.registration_id : destinationId(refund.destination);
  if (present === to) return refused('same_destination');
  const card = isCardDestination(destination) ? await cardState(tx, destination.cardRef) : 'usable';
  if (card !== 'usable') return refused(card);
  await tx
    .updateTable('refunds')
    .set({ destination: JSON.stringify(destination) })
    .where('id', '=', refund.id)
    .execute();
  await append(tx, {
    key: `refund:${refund.id}:redirected:${before.length + 1}`,
    type: 'refund.destination_changed',
    paymentId: payment.id,
    refundId: refund.id,
    actor: by,
    data: {
      from: present,
      to,
      reason,
      ...(ticket === undefined ? {} : { ticket }),
    },
  });
  await move(tx, refund, { on: 'change_destination', actor: by });
  return resulted({ kind: 'done' }, { state: 'done' });
}
