/** Submits a standalone credit, after a fresh query of the original has proven that it is allowed. */
import { elapsed, type Moment } from '../../domain/clock.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { CreditOpened } from '../../ledger/ledger.js';
import type { Dependencies } from '../dependencies.js';
import { withOpenedCard } from './opened-card.js';
import { queryStoredPayment } from './originals.js';
import { recordOwnSuccess, recordUnreadable } from './reconcile.js';
import { queryRegistration, registerCard } from './register-card.js';
import { submit } from './submit.js';
import { hasPayment, type Task } from './task.js';

export async function submitCredit(deps: Dependencies, task: Task): Promise<RefundSnapshot> {
  const { ledger } = deps;
  const { refundId, config } = task;
  const scope = await ledger.scope(refundId);
  const provenAfter = deps.now();
  // A process that was frozen since the query has proven nothing about the present.
  const isTooOld = (): boolean => elapsed(provenAfter, deps.now()) > config.timings.sendWindow;
  if (!hasPayment(scope)) return openAndSubmit(deps, task, { original: null, isTooOld });
  const queriedAt = await ledger.clock();
  const original = await queryStoredPayment(deps, { ...scope, eachCapture: true });
  if (original.kind !== 'read') return recordUnreadable(deps, scope, 'credit', original, config);
  if (isTooOld()) return recordTooLate(deps, refundId);
  const { reconciliation } = await ledger.applyReconciliation(refundId, original.facts, 'before_credit');
  if (reconciliation.kind === 'ours') return recordOwnSuccess(deps, refundId, original, queriedAt);
  if (isTooOld()) return recordTooLate(deps, refundId);
  return openAndSubmit(deps, task, { original: original.facts, isTooOld });
}

/** The payment as a query has just shown it; null for an unlinked credit. */
interface Proof {
  readonly original: OriginalFacts | null;
  readonly isTooOld: () => boolean;
}

async function openAndSubmit(deps: Dependencies, task: Task, proof: Proof): Promise<RefundSnapshot> {
  const { refundId, config } = task;
  const { timings, policy } = config;
  const openedAfter: Moment = deps.now();
  const opened = await deps.ledger.openCredit(refundId, proof.original, timings, policy);
  switch (opened.kind) {
    case 'resume':
      return opened.snapshot;
    case 'send':
      return submit(deps, refundId, opened.order, openedAfter, timings);
    case 'open_card':
      return policy.cards === 'register'
        ? registerCard(deps, task, opened, () => submitCredit(deps, task))
        : submitToCard(deps, task, opened, proof);
    case 'open_registration':
      return queryRegistration(deps, task, opened.registration, () => submitCredit(deps, task));
    default:
      return opened satisfies never;
  }
}

/** Opens the card, then the attempt, and submits the credit. The key provider is called outside of any transaction. */
function submitToCard(
  deps: Dependencies,
  { refundId, config }: Task,
  { card }: Extract<CreditOpened, { kind: 'open_card' }>,
  { original, isTooOld }: Proof,
): Promise<RefundSnapshot> {
  const { ledger } = deps;
  const { timings, policy } = config;
  return withOpenedCard(deps, refundId, card, async (openedCard) => {
    if (isTooOld()) return recordTooLate(deps, refundId);
    const openedAfter = deps.now();
    const opened = await ledger.openCredit(refundId, original, timings, policy, card);
    switch (opened.kind) {
      case 'resume':
        return opened.snapshot;
      case 'send':
        return submit(deps, refundId, opened.order, openedAfter, timings, openedCard);
      case 'open_card':
      case 'open_registration':
        // The destination, or the CVV of the card, has changed meanwhile. The credit is checked again.
        return ledger.snapshot(refundId);
      default:
        return opened satisfies never;
    }
  });
}

const recordTooLate = ({ ledger }: Dependencies, refundId: string): Promise<RefundSnapshot> =>
  ledger.recordUnreadable(refundId, {
    for: 'credit',
    answer: 'the answer came too late to prove anything',
    isLasting: false,
  });
