/** Another destination for a credit: named by a person where the refund has come to rest, proven anew, approved by a second one. */
import { isSamePerson } from '../domain/people.js';
import { isOpenAttempt } from '../domain/states.js';
import { append, lockRefund, move } from './books.js';
import type { Database } from './database.js';
import { openProposal, redirectors } from './given-words.js';
import type { PersonRefusal, PersonAnswer, Redirection } from './people.js';
import { currentPosition } from './records.js';

export function redirect(database: Database, redirection: Redirection): Promise<PersonAnswer> {
  return database.transaction(async (tx) => {
    const { refundId, registrationId, by, reason, ticket } = redirection;
    const { refund, payment, attempts } = await lockRefund(tx, refundId);
    const refused = async (why: PersonRefusal, who?: string): Promise<PersonAnswer> => ({
      kind: 'refused',
      why,
      position: await currentPosition(tx, refundId),
      ...(who === undefined ? {} : { by: who }),
    });
    const before = await redirectors(tx, refundId);
    const last = before.at(-1);
    if (refund.state !== 'manual_review') {
      if (last === undefined || refund.destination?.registrationId !== registrationId)
        return refused('not_in_review');
      return isSamePerson(last, by)
        ? { kind: 'done', position: await currentPosition(tx, refundId) }
        : refused('already_decided', last);
    }
    if (attempts.some((attempt) => isOpenAttempt(attempt.state) || attempt.state === 'absent'))
      return refused('may_have_left');
    // Somebody says that it has been paid, or never will be: first the second person's word on that.
    const proposal = await openProposal(tx, refundId);
    if (proposal !== undefined) return refused('proposal_open', proposal.proposed_by);
    const present = refund.destination?.registrationId ?? payment.registration_id;
    if (present === registrationId) return refused('same_destination');
    await tx
      .updateTable('refunds')
      .set({ destination: JSON.stringify({ registrationId }) })
      .where('id', '=', refundId)
      .execute();
    await append(tx, {
      key: `refund:${refundId}:redirected:${before.length + 1}`,
      type: 'refund.redirected',
      paymentId: payment.id,
      refundId,
      actor: by,
      data: {
        from: present,
        to: registrationId,
        reason,
        ...(ticket === undefined ? {} : { ticket }),
      },
    });
    await move(tx, refund, { on: 'redirect', actor: by });
    return { kind: 'done', position: await currentPosition(tx, refundId) };
  });
}
