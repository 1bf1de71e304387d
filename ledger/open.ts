/** Opening an attempt: the one moment before a byte leaves, written down in one transaction. */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as uuid } from 'uuid';
import { mayCredit, type CreditEvidence, type CreditVerdict } from '../domain/credit-guard.js';
import type { OriginalFacts } from '../domain/original.js';
import type { Policy, Timings } from '../domain/plan.js';
import { referenceFor } from '../domain/reference.js';
import { isOpenAttempt, OPEN_ATTEMPT_STATES } from '../domain/states.js';
import type { Way } from '../domain/way.js';
import type { Database, Tx } from './database.js';
import { append, attemptsOf, lockRefund, move, openCase, type AttemptRow, type Locked } from './books.js';
import { LedgerError, type Instruction, type Opened } from './ledger.js';
import { positionOf, refusalOf } from './records.js';
import { updatePayment } from './payments.js';
import { returnsKnownTo } from './returns.js';

interface Target {
  readonly way: Way;
  readonly originalId: string | null;
  readonly registrationId: string | null;
  readonly amountMinor: bigint;
}

/** States from which a linked attempt may be opened. Everywhere else somebody else is at work, or a person is asked. */
const MAY_SEND = new Set(['reserved', 'rejected']);

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
    if (!MAY_SEND.has(locked.refund.state)) return adopt(tx, refundId);
    const absent = locked.attempts.find((attempt) => attempt.state === 'absent');
    // An absent credit is sent again by its own door only, past the guard.
    if (absent?.way === 'credit') return adopt(tx, refundId);
    if (absent !== undefined) return { kind: 'send', order: await reopen(tx, locked, absent, timings) };
    const target = await linkedTarget(tx, locked);
    const partial = isPartialReversal(locked, target);
    if (partial && !policy.partialReversal) {
      await openCase(tx, locked.refund, 'partial_reversal');
      await move(tx, locked.refund, { on: 'ask_person', why: 'partial_reversal' });
      return adopt(tx, refundId);
    }
    return { kind: 'send', order: await open(tx, locked, target, timings) };
  });
}

export function openCredit(
  database: Database,
  refundId: string,
  original: OriginalFacts,
  timings: Timings,
  policy: Policy,
): Promise<Opened & { readonly verdict?: CreditVerdict }> {
  return database.transaction(async (tx) => {
    const before = await lockRefund(tx, refundId);
    const taken = await takeOver(tx, before);
    if (taken !== undefined) return taken;
    if (!['rejected', 'reserved', 'fallback_checking'].includes(before.refund.state)) return adopt(tx, refundId);
    await updatePayment(tx, original);
    const locked = await lockRefund(tx, refundId);
    const refund =
      locked.refund.state === 'fallback_checking'
        ? locked.refund
        : await move(tx, locked.refund, { on: 'check_credit' });
    const amountMinor = remainingOf(locked);
    const registrationId = refund.destination?.registrationId ?? locked.payment.registration_id;
    const hash = instructionHash(refundId, amountMinor, refund.currency, registrationId);
    const verdict = mayCredit(
      await creditEvidence(tx, locked, { original, policy, amountMinor, registrationId, hash }),
    );
    switch (verdict.kind) {
      case 'allowed': {
        if (registrationId === null) throw new LedgerError('illegal_transition', 'a credit without a destination');
        const absent = locked.attempts.find((attempt) => attempt.state === 'absent');
        const current = { ...locked, refund };
        const order =
          absent === undefined
            ? await open(tx, current, { way: 'credit', originalId: null, registrationId, amountMinor }, timings)
            : await reopen(tx, current, absent, timings);
        return { kind: 'send', order, verdict };
      }
      case 'wait':
        await tx
          .updateTable('refunds')
          .set({ why: 'other_attempt_open', version: sql<number>`version + 1` })
          .where('id', '=', refundId)
          .execute();
        break;
      case 'needs_approval': {
        if (registrationId === null) throw new LedgerError('illegal_transition', 'a credit without a destination');
        const instruction: Instruction = {
          hash,
          way: 'credit',
          amountMinor: amountMinor.toString(),
          currency: refund.currency,
          registrationId,
          why: verdict.why,
        };
        await tx
          .updateTable('refunds')
          .set({ instruction: JSON.stringify(instruction) })
          .where('id', '=', refundId)
          .execute();
        await move(tx, refund, { on: 'need_approval', why: verdict.why.join(', '), data: { instruction } });
        break;
      }
      case 'denied':
        await openCase(tx, refund, 'credit_blocked', { blocks: verdict.why });
        await move(tx, refund, { on: 'ask_person', why: 'credit_blocked', blocks: verdict.why });
        break;
      default:
        return verdict satisfies never;
    }
    return { ...(await adopt(tx, refundId)), verdict };
  });
}

/** Binds an approval to amount, way and destination: what changed needs a new one. */
export function instructionHash(
  refundId: string,
  amountMinor: bigint,
  currency: string,
  registrationId: string | null,
): string {
  return createHash('sha256')
    .update(JSON.stringify(['credit', refundId, amountMinor.toString(), currency, registrationId]))
    .digest('hex')
    .slice(0, 32);
}

/**
 * Whoever finds an attempt that was handed over and has no answer calls its outcome unknown: it may have left.
 * The look-up decides; nobody sends.
 */
async function takeOver(tx: Tx, locked: Locked): Promise<Opened | undefined> {
  const current = locked.attempts.find((attempt) => isOpenAttempt(attempt.state));
  if (current === undefined) return undefined;
  if (current.state === 'submitting') {
    await tx
      .updateTable('attempts')
      .set({ state: 'unknown', note: 'taken over without an answer' })
      .where('id', '=', current.id)
      .execute();
    if (locked.refund.state === 'submitting')
      await move(tx, locked.refund, { on: 'answer_unknown', why: 'taken over without an answer' });
  }
  return adopt(tx, locked.refund.id);
}

async function adopt(tx: Tx, refundId: string): Promise<{ kind: 'adopt'; position: Awaited<ReturnType<typeof positionOf>> }> {
  const refund = await tx.selectFrom('refunds').selectAll().where('id', '=', refundId).executeTakeFirstOrThrow();
  return { kind: 'adopt', position: await positionOf(tx, refund, await attemptsOf(tx, refundId)) };
}

/** What of the promise is not paid yet: the amount less what succeeded and did not come back. */
export function remainingOf({ refund, attempts }: Pick<Locked, 'refund' | 'attempts'>): bigint {
  const paid = attempts.filter((attempt) => attempt.state === 'succeeded');
  return refund.amount_minor - paid.reduce((sum, attempt) => sum + attempt.amount_minor, 0n);
}

/** A refund of the capture with most left, or a reversal while nothing is captured. */
async function linkedTarget(tx: Tx, locked: Locked): Promise<Target> {
  const { payment, refund } = locked;
  const remaining = remainingOf(locked);
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
      if ((a.id === refund.capture_id) !== (b.id === refund.capture_id)) return a.id === refund.capture_id ? -1 : 1;
      if (a.left !== b.left) return a.left > b.left ? -1 : 1;
      return a.id < b.id ? -1 : 1;
    });
  const chosen = ranked.find((capture) => capture.left > 0n) ?? ranked[0];
  if (chosen === undefined)
    throw new LedgerError('payment_not_refundable', `payment ${payment.id} has no capture on record`);
  const amountMinor = chosen.left > 0n && chosen.left < remaining ? chosen.left : remaining;
  return { way: 'refund', originalId: chosen.id, registrationId: null, amountMinor };
}

function isPartialReversal({ payment }: Locked, target: Target): boolean {
  return target.way === 'reversal' && target.amountMinor < payment.authorized_minor;
}

async function open(tx: Tx, locked: Locked, target: Target, timings: Timings) {
  const { payment, refund, attempts } = locked;
  const number = attempts.length + 1;
  const id = uuid();
  const reference = referenceFor(refund.id, target.way, number);
  const inserted = await tx
    .insertInto('attempts')
    .values({
      id,
      refund_id: refund.id,
      payment_id: payment.id,
      number,
      way: target.way,
      original_id: target.originalId,
      registration_id: target.registrationId,
      reference,
      amount_minor: target.amountMinor,
      state: 'submitting',
      send_by: sendBy(timings),
      gateway_id: null,
      result_code: null,
      result_description: null,
      refusal_class: null,
      note: null,
    })
    .onConflict((conflict) => conflict.column('reference').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined)
    throw new LedgerError('reference_taken', `the reference ${reference} belongs to another attempt`, { reference });
  return handOver(tx, locked, { id, sends: 1, reference, ...target });
}

/** The same attempt under the same reference, after it was absent. */
async function reopen(tx: Tx, locked: Locked, attempt: AttemptRow, timings: Timings) {
  await tx
    .updateTable('attempts')
    .set({
      state: 'submitting',
      sends: attempt.sends + 1,
      send_by: sendBy(timings),
      sent_at: sql<Date>`now()`,
      misses: 0,
      last_miss_at: null,
      look_ups: 0,
      note: null,
    })
    .where('id', '=', attempt.id)
    .execute();
  return handOver(tx, locked, {
    id: attempt.id,
    sends: attempt.sends + 1,
    reference: attempt.reference,
    way: attempt.way,
    originalId: attempt.original_id,
    registrationId: attempt.registration_id,
    amountMinor: attempt.amount_minor,
  });
}

async function handOver(
  tx: Tx,
  locked: Locked,
  attempt: Target & { readonly id: string; readonly sends: number; readonly reference: string },
) {
  const { payment, refund } = locked;
  await append(tx, {
    key: `attempt:${attempt.id}:sent:${attempt.sends}`,
    type: 'attempt.submitted',
    paymentId: payment.id,
    refundId: refund.id,
    attemptId: attempt.id,
    data: { way: attempt.way, reference: attempt.reference, amountMinor: attempt.amountMinor.toString() },
  });
  await move(tx, refund, { on: 'submit', data: { reference: attempt.reference } });
  return {
    attemptId: attempt.id,
    send: attempt.sends,
    way: attempt.way,
    entityId: payment.entity_id,
    originalId: attempt.originalId,
    registrationId: attempt.registrationId,
    reference: attempt.reference,
    amountMinor: attempt.amountMinor,
    currency: refund.currency,
    isPartialReversal: isPartialReversal(locked, attempt),
  };
}

/** The database's own clock: the sender measures the same interval from before this transaction, on its monotonic one. */
function sendBy(timings: Timings) {
  return sql<Date>`now() + ${timings.sendWindow} * interval '1 millisecond'`;
}

async function creditEvidence(
  tx: Tx,
  locked: Locked,
  given: {
    readonly original: OriginalFacts;
    readonly policy: Policy;
    readonly amountMinor: bigint;
    readonly registrationId: string | null;
    readonly hash: string;
  },
): Promise<CreditEvidence> {
  const { payment, refund, attempts } = locked;
  const approval = await tx
    .selectFrom('approvals')
    .select('verdict')
    .where('refund_id', '=', refund.id)
    .where('instruction', '=', given.hash)
    .executeTakeFirst();
  const refused = attempts.filter((attempt) => attempt.state === 'rejected' && attempt.way !== 'credit').at(-1);
  const refusal = refused === undefined ? null : refusalOf(refused);
  return {
    ...(await returnsKnownTo(tx, locked, given.original)),
    amountMinor: given.amountMinor,
    currency: refund.currency,
    isPartial: given.amountMinor < payment.captured_minor,
    refusal: refused === undefined || refusal === null ? null : { class: refusal, code: refused.result_code ?? '' },
    original: given.original,
    destination: given.registrationId === null ? null : { registrationId: given.registrationId },
    approved: approval?.verdict === 'approved',
    policy: given.policy,
  };
}
