/** Opening an attempt on the original: a refund of a capture, or a reversal of what is only authorised. */
import { sql } from 'kysely';
import { chooseCapture, type OpenCapture } from '../domain/captures.js';
import type { Policy, Timings } from '../domain/plan.js';
import { OPEN_ATTEMPT_STATES } from '../domain/states.js';
import { lockRefund, type Locked } from './books.js';
import type { Database, Tx } from './database.js';
import {
  adopt,
  askInstead,
  isNext,
  isPartialReversal,
  open,
  reopen,
  takeOver,
  type Target,
} from './hand-over.js';
import type { Opened } from './ledger.js';
import { remainingOf } from './records.js';
import { releasableOf } from './reversals.js';

export function openLinked(
  database: Database,
  refundId: string,
  timings: Timings,
  policy: Policy,
): Promise<Opened> {
  return database.transaction(async (tx) => {
    const locked = await lockRefund(tx, refundId);
    const taken = await takeOver(tx, locked);
    if (taken !== undefined) return taken;
    if (!(await isNext('send', tx, locked, { timings, policy }))) return adopt(tx, refundId);
    const absent = locked.attempts.find((attempt) => attempt.state === 'absent');
    if (absent !== undefined) {
      if (absent.amount_minor > remainingOf(locked)) return askInstead(tx, locked, 'answers_contradict');
      return { kind: 'send', order: await reopen(tx, locked, absent, timings) };
    }
    const target = await linkedTarget(tx, locked);
    const owed = {
      owedMinor: remainingOf(locked).toString(),
      currency: locked.refund.currency,
      uncapturedMinor: releasableOf(locked.payment).toString(),
    };
    if (target === undefined) return askInstead(tx, locked, 'not_captured', owed);
    if (isPartialReversal(locked, target) && !policy.partialReversal)
      return askInstead(tx, locked, 'partial_reversal', owed);
    return { kind: 'send', order: await open(tx, locked, target, timings) };
  });
}

/**
 * A refund of a capture on which something is left; where nothing is, a reversal of what was never captured; or nothing that could be
 * given back. Captures on which only others have drawn are tried all the same: the gateway's own answer tells what follows.
 */
async function linkedTarget(tx: Tx, locked: Locked): Promise<Target | undefined> {
  const { payment, refund } = locked;
  const remaining = remainingOf(locked);
  const captures = payment.captured_minor > 0n ? await openCaptures(tx, payment.id) : [];
  const capture = chooseCapture(captures, refund.capture_id, remaining);
  if (capture !== undefined) return refundOf(capture);
  const releasable = releasableOf(payment);
  if (releasable > 0n)
    return {
      way: 'reversal',
      originalId: payment.id,
      registrationId: null,
      amountMinor: releasable < remaining ? releasable : remaining,
    };
  const drawnElsewhere = captures.map(({ id, ownLeftMinor }) => ({
    ...{ id, ownLeftMinor, leftMinor: ownLeftMinor, doubtfulMinor: 0n },
  }));
  const other = chooseCapture(drawnElsewhere, refund.capture_id, remaining);
  return other === undefined ? undefined : refundOf(other);
}

const refundOf = ({ id, amountMinor }: { readonly id: string; readonly amountMinor: bigint }): Target => ({
  ...{ way: 'refund', originalId: id, registrationId: null, amountMinor },
});

/** What is left on each capture, after every refund of the payment that took from it or may. */
async function openCaptures(tx: Tx, paymentId: string): Promise<readonly OpenCapture[]> {
  const captures = await tx
    .selectFrom('captures')
    .selectAll('captures')
    .select((eb) =>
      eb
        .selectFrom('attempts')
        .select(sql<string>`coalesce(sum(amount_minor), 0)::text`.as('taken'))
        .whereRef('attempts.original_id', '=', 'captures.id')
        .where('attempts.way', '=', 'refund')
        .where('attempts.state', 'in', ['succeeded', ...OPEN_ATTEMPT_STATES])
        .as('taken'),
    )
    .where('payment_id', '=', paymentId)
    .execute();
  return captures.map((capture) => {
    const ownLeftMinor = capture.amount_minor - BigInt(capture.taken ?? '0');
    return {
      id: capture.id,
      ownLeftMinor,
      leftMinor: ownLeftMinor - capture.elsewhere_minor,
      doubtfulMinor: capture.doubtful_minor,
    };
  });
}
