/** Opens a credit: checked by the guard under the payment's lock, with the query just made. */
import type { SealedCard } from '../../domain/card/sealed-card.js';
import { mayCredit, type CreditVerdict } from '../../domain/refund/credit-guard.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import type { Policy, Timings } from '../../domain/refund/config.js';
import { openCase } from '../core/cases.js';
import { lockRefund, type PaymentRow } from '../core/locks.js';
import { move } from '../core/state-changes.js';
import type { Database, Tx } from '../db/database.js';
import { NEXT_VERSION } from '../db/expressions.js';
import { resume, openCaseInstead, isStepDue, open, reopen, resumeOpenAttempt } from './submission.js';
import { redirectors } from '../commands/command-results.js';
import { doubtsFromElsewhere } from '../payments/doubts.js';
import { LedgerError, ObservationOutdated, type CreditOpened } from '../ledger.js';
import type { Instruction } from '../core/refund-record.js';
import { observe } from '../payments/observation.js';
import { remainingOf } from '../core/balances.js';
import { clearCardUnread } from '../refunds/unread.js';
import { creditEvidence, instructionHash } from './credit-evidence.js';
import { creditTarget, isFor, meansOf } from './credit-target.js';

export function openCredit(
  database: Database,
  refundId: string,
  original: OriginalFacts | null,
  timings: Timings,
  policy: Policy,
  prepared?: SealedCard,
): Promise<CreditOpened & { readonly verdict?: CreditVerdict }> {
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
    const target = await creditTarget(tx, refund, locked.payment);
    const redirects = (await redirectors(tx, refundId)).length;
    const changes = redirects + refund.replays;
    const hash = instructionHash(
      ...([refundId, amountMinor, refund.currency, target?.destination ?? null, changes] as const),
      locked.payment.disputed_minor,
    );
    const evidence = await creditEvidence(tx, locked, {
      ...{ original: shown, policy, amountMinor, target, hash },
      destinationChanged: redirects > 0,
    });
    const verdict = mayCredit(evidence);
    switch (verdict.kind) {
      case 'allowed': {
        if (target === null) throw new LedgerError('illegal_transition', 'a credit without a destination');
        const absent = locked.attempts.find((attempt) => attempt.state === 'absent');
        const current = { ...locked, refund };
        // Exactly what the guard checked is submitted: an absent attempt of another amount, operation or destination is not submitted
        // again.
        if (
          absent !== undefined &&
          (absent.operation !== 'credit' || absent.amount_minor !== amountMinor || !isFor(absent, target))
        )
          return { ...(await openCaseInstead(tx, current, 'answers_contradict')), verdict };
        const means = await meansOf(tx, target, locked.payment.entity_id, prepared);
        if (means.kind === 'case')
          return { ...(await openCaseInstead(tx, current, means.why, means.details)), verdict };
        if (means.kind === 'open_card') return { ...means, entityId: locked.payment.entity_id, verdict };
        if (means.kind === 'open_registration') return { ...means, verdict };
        await clearCardUnread(tx, refund);
        const { kind: _, ...sent } = means;
        const order =
          absent === undefined
            ? await open(
                tx,
                current,
                {
                  operation: 'credit',
                  originalId: null,
                  ...sent,
                  destinationKey: target.key,
                  amountMinor,
                  approved: evidence.approved,
                },
                timings,
              )
            : await reopen(tx, current, absent, timings, {
                ...sent,
                approved: evidence.approved,
              });
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
        if (target === null) throw new LedgerError('illegal_transition', 'a credit without a destination');
        const instruction: Instruction = {
          hash,
          operation: 'credit',
          amountMinor: amountMinor.toString(),
          currency: refund.currency,
          destination: target.shown,
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
