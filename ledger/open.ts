/** Opening an attempt on the original: a refund of a capture, or a reversal of what is only authorised. */
import { sql } from 'kysely';
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
    if (target === undefined) return askInstead(tx, locked, 'not_captured');
    if (isPartialReversal(locked, target) && !policy.partialReversal)
      return askInstead(tx, locked, 'partial_reversal');
    return { kind: 'send', order: await open(tx, locked, target, timings) };
  });
}

/** A refund of the capture with most left, a reversal while an authorisation is not captured, or nothing that could be given back. */
async function linkedTarget(tx: Tx, locked: Locked): Promise<Target | undefined> {
  const { payment, refund } = locked;
  const remaining = remainingOf(locked);
  if (payment.captured_minor === 0n && payment.type === 'DB') return undefined;
  if (payment.captured_minor === 0n)
    return { way: 'reversal', originalId: payment.id, registrationId: null, amountMinor: remaining };
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
    .where('payment_id', '=', payment.id)
    .execute();
  const ranked = captures
    .map((capture) => ({ id: capture.id, left: capture.amount_minor - BigInt(capture.taken ?? '0') }))
    .sort((a, b) => {
      if ((a.id === refund.capture_id) !== (b.id === refund.capture_id))
        return a.id === refund.capture_id ? -1 : 1;
      if (a.left !== b.left) return a.left > b.left ? -1 : 1;
      return a.id < b.id ? -1 : 1;
    });
  const chosen = ranked.find((capture) => capture.left > 0n) ?? ranked[0];
  if (chosen === undefined) return undefined;
  const amountMinor = chosen.left > 0n && chosen.left < remaining ? chosen.left : remaining;
  return { way: 'refund', originalId: chosen.id, registrationId: null, amountMinor };
}
