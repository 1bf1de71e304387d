/** Opens a credit: checked by the guard under the payment's lock, with the query just made. */
import { hash } from 'node:crypto';
import { mayCredit, type CreditEvidence, type CreditVerdict } from '../../domain/refund/credit-guard.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import type { Policy, Timings } from '../../domain/refund/config.js';
import { openCase } from '../core/cases.js';
import { lockRefund, type LockedRefund, type PaymentRow } from '../core/locks.js';
import { move } from '../core/state-changes.js';
import type { Database, Tx } from '../db/database.js';
import { NEXT_VERSION } from '../db/expressions.js';
import { resume, openCaseInstead, isStepDue, open, reopen, resumeOpenAttempt } from './submission.js';
import { decidedBefore, redirectors } from '../commands/command-results.js';
import { doubtsFromElsewhere } from '../payments/doubts.js';
import { LedgerError, ObservationOutdated, type Opened } from '../ledger.js';
import type { Instruction } from '../core/refund-record.js';
import { observe } from '../payments/observation.js';
import { declineClassOf } from '../core/snapshots.js';
import { remainingOf } from '../core/balances.js';
import { recentCredits } from '../refunds/credit-sums.js';
import { returnsKnownTo } from '../payments/returns.js';

export function openCredit(
  database: Database,
  refundId: string,
  original: OriginalFacts | null,
  timings: Timings,
  policy: Policy,
): Promise<Opened & { readonly verdict?: CreditVerdict }> {
  return database.transaction(async (tx) => {
    const before = await lockRefund(tx, refundId);
    const taken = await resumeOpenAttempt(tx, before);
    if (taken !== undefined) return taken;
    if (!(await isStepDue('credit', tx, before, { timings, policy }))) return resume(tx, refundId);
    if ((original === null) !== (before.payment.type === 'credit'))
      throw new LedgerError('illegal_transition', 'only an unlinked credit is checked without an original');
    const shown = original === null ? null : await shownNow(tx, before.payment, original);
    const locked = await lockRefund(tx, refundId);
    const refund =
      locked.refund.state === 'fallback_checking'
        ? locked.refund
        : await move(tx, locked.refund, { on: 'check_credit' });
    const amountMinor = remainingOf(locked);
    const registrationId = refund.destination?.registrationId ?? locked.payment.registration_id;
    const redirects = (await redirectors(tx, refundId)).length;
    const changes = redirects + refund.replays;
    const hash = instructionHash(
      ...([refundId, amountMinor, refund.currency, registrationId, changes] as const),
      locked.payment.disputed_minor,
    );
    const evidence = await creditEvidence(tx, locked, {
      ...{ original: shown, policy, amountMinor, registrationId, hash },
      destinationChanged: redirects > 0,
    });
    const verdict = mayCredit(evidence);
    switch (verdict.kind) {
      case 'allowed': {
        if (registrationId === null)
          throw new LedgerError('illegal_transition', 'a credit without a destination');
        const absent = locked.attempts.find((attempt) => attempt.state === 'absent');
        const current = { ...locked, refund };
        // Exactly what the guard checked is submitted: an absent attempt of another amount, operation or destination is not submitted
        // again.
        if (
          absent !== undefined &&
          (absent.operation !== 'credit' ||
            absent.amount_minor !== amountMinor ||
            absent.registration_id !== registrationId)
        )
          return { ...(await openCaseInstead(tx, current, 'answers_contradict')), verdict };
        const order =
          absent === undefined
            ? await open(
                tx,
                current,
                {
                  operation: 'credit',
                  originalId: null,
                  registrationId,
                  amountMinor,
                  approved: evidence.approved,
                },
                timings,
              )
            : await reopen(tx, current, absent, timings);
        return { kind: 'send', order, verdict };
      }
      case 'wait':
        await tx
          .updateTable('refunds')
          .set({ why: 'other_attempt_open', version: NEXT_VERSION })
          .where('id', '=', refundId)
          .execute();
        break;
      case 'needs_approval': {
        if (registrationId === null)
          throw new LedgerError('illegal_transition', 'a credit without a destination');
        const instruction: Instruction = {
          hash,
          operation: 'credit',
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
        await move(tx, refund, { on: 'open_case', why: 'credit_blocked', blocks: verdict.why });
        break;
      default:
        return verdict satisfies never;
    }
    return { ...(await resume(tx, refundId)), verdict };
  });
}

/** Returns the observation that the guard checks, with all doubts about the payment. */
async function shownNow(tx: Tx, payment: PaymentRow, original: OriginalFacts): Promise<OriginalFacts> {
  const { doubts, isOutdated, own } = await observe(tx, payment, original);
  if (isOutdated) throw new ObservationOutdated(payment.id);
  return { ...own, doubts: [...doubts, ...(await doubtsFromElsewhere(tx, payment.id))] };
}

/**
 * Returns the hash that binds an approval to amount, operation and destination. Another amount or destination needs a new approval. So
 * does every change of destination, even back to one that was approved, and every replay, because the credit was declined since.
 */
export function instructionHash(
  refundId: string,
  amountMinor: bigint,
  currency: string,
  registrationId: string | null,
  changes = 0,
  disputedMinor = 0n,
): string {
  const bound = [
    ...['credit', refundId, amountMinor.toString(), currency, registrationId],
    ...(changes === 0 ? [] : [changes]),
    ...(disputedMinor === 0n ? [] : [`disputed ${disputedMinor}`]),
  ];
  return hash('sha256', JSON.stringify(bound)).slice(0, 32);
}

async function creditEvidence(
  tx: Tx,
  locked: LockedRefund,
  given: {
    readonly original: OriginalFacts | null;
    readonly policy: Policy;
    readonly amountMinor: bigint;
    readonly registrationId: string | null;
    readonly hash: string;
    readonly destinationChanged: boolean;
  },
): Promise<CreditEvidence> {
  const { payment, refund, attempts } = locked;
  const approval = await decidedBefore(tx, refund.id, 'decide', given.hash);
  // Refunds only: a declined reversal says nothing about captured money.
  const refused = attempts
    .filter((attempt) => attempt.state === 'rejected' && attempt.operation === 'refund')
    .at(-1);
  return {
    ...(await returnsKnownTo(tx, locked, given.original)),
    recent: await recentCredits(tx, locked, given.registrationId, given.policy),
    ...(refund.asked_for === 'credit' ? { askedFor: 'credit' } : {}),
    amountMinor: given.amountMinor,
    currency: refund.currency,
    isPartial: given.amountMinor < payment.captured_minor,
    refusal: refused === undefined ? null : declineClassOf(refused),
    original: given.original,
    destination: given.registrationId === null ? null : { registrationId: given.registrationId },
    destinationChanged: given.destinationChanged,
    approved: approval?.state === 'approved',
    policy: given.policy,
  };
}
