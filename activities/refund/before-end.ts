/** What happened to a payment outside is read before one of its declined refunds is withdrawn: the customer may have the money. */
import { isFinal, isOpenAttempt } from '../../domain/refund/states.js';
import { QueryBudgetSpent } from '../../gateway/errors.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { queryKnown } from './originals.js';

/** Milliseconds, less than the activity may take: whoever withdraws waits for the answer. */
const WITHIN = 8_000;

/**
 * Brings the payment up to date, so that what the customer has from outside counts for the refund when it ends. Nothing where nothing was
 * sent yet, and no obstacle where the gateway cannot be asked now: what is seen later is booked then.
 */
export async function readBeforeEnd(deps: Dependencies, refundId: string): Promise<void> {
  const refund = await deps.ledger.findRefund(refundId);
  if (refund === null || isFinal(refund.state) || refund.attempts.length === 0) return;
  if (refund.attempts.some(({ state }) => isOpenAttempt(state))) return;
  await Promise.race([read(queryingFor('operator', deps), refundId), deps.pause(WITHIN)]);
}

async function read(deps: Dependencies, refundId: string): Promise<void> {
  const { paymentId, ...scope } = await deps.ledger.scope(refundId);
  if (paymentId === null) return;
  try {
    const original = await queryKnown(deps, { ...scope, paymentId, eachCapture: true });
    if (original.kind === 'read') await deps.ledger.recordOriginal(paymentId, original.facts);
  } catch (error) {
    if (!(error instanceof QueryBudgetSpent)) throw error;
  }
}
