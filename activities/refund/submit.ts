/** The one submission function: submits a stored attempt to the gateway once and records the answer. All money leaves through it. */
import type { Moment } from '../../domain/clock.js';
import { gatewayAmount, storedMoney } from '../../domain/money/money.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import { idsInAnswer, outcomeOfSend, type Expectation, type Outcome } from '../../domain/refund/outcome.js';
import type { Timings } from '../../domain/refund/config.js';
import type { OpenedCard } from '../../domain/card/sealed-card.js';
import type { GatewayTransaction, SendResult } from '../../domain/transaction.js';
import { GatewayInputError, GatewaySettingsError } from '../../gateway/errors.js';
import type { SendLimits } from '../../gateway/gateway.js';
import { LedgerError, type Evidence, type Submission } from '../../ledger/ledger.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { cardFields } from './opened-card.js';
import { queryStoredPayment } from './originals.js';

/**
 * Submits `order`, which was opened after `openedAfter`, and records the outcome. The deadline counts from before the attempt was opened: when
 * it has passed by the database's clock it has passed here too, also if this machine was suspended meanwhile. `card`: the opened card of a
 * credit that goes to one; it is overwritten once the request is answered.
 */
export async function submit(
  deps: Dependencies,
  refundId: string,
  order: Submission,
  openedAfter: Moment,
  timings: Timings,
  card?: OpenedCard,
): Promise<RefundSnapshot> {
  const { sendWindow, answerWithin } = timings;
  const limits = { openedAt: openedAfter, sendWindow, answerWithin };
  const answer = await postToGateway(deps, order, limits, card);
  card?.destroy();
  const evidence: Evidence = {
    attemptId: order.attemptId,
    send: order.send,
    source: 'answer',
    ...(await withCaptures(deps, order, outcomeOf(order, answer))),
    ids: answer.kind === 'unfit' ? [] : idsInAnswer(answer),
    ...(answer.kind === 'answered'
      ? { code: answer.transaction.result.code, ...shownBy(answer.transaction) }
      : {}),
  };
  const snapshot = await untilStored(deps, () => deps.ledger.record(evidence));
  return answer.kind === 'unfit'
    ? deps.ledger.openCase(refundId, 'configuration', { problem: answer.problem })
    : snapshot;
}

/** `unfit`: no request can be made of our own data or settings; nothing has left. */
export type Answer = SendResult | { readonly kind: 'unfit'; readonly problem: string };

async function postToGateway(
  deps: Dependencies,
  order: Submission,
  limits: SendLimits,
  card: OpenedCard | undefined,
): Promise<Answer> {
  const { gateway } = deps;
  const common = { entityId: order.entityId, merchantTransactionId: order.reference, limits };
  const amount = gatewayAmount(storedMoney(order.amountMinor, order.currency));
  if (!amount.ok) return { kind: 'unfit', problem: amount.error };
  const { currency } = order;
  return sendOnce(() => {
    switch (order.operation) {
      case 'refund':
        return gateway.refund({
          paymentId: order.originalId ?? '',
          amount: amount.text,
          currency,
          ...common,
        });
      case 'reversal':
        return gateway.reverse({
          paymentId: order.originalId ?? '',
          ...(order.isPartialReversal ? { partial: { amount: amount.text, currency } } : {}),
          ...common,
        });
      case 'credit':
        if (order.registrationId === null && card !== undefined)
          return gateway.creditCard({
            ...cardFields(card.reveal()),
            ...{ amount: amount.text, currency, ...common },
          });
        return gateway.creditRegistration({
          registrationId: order.registrationId ?? '',
          amount: amount.text,
          currency,
          ...common,
        });
      default:
        return order.operation satisfies never;
    }
  });
}

/** Sends one request. */
export async function sendOnce(send: () => Promise<SendResult>): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof GatewayInputError || error instanceof GatewaySettingsError)
      return { kind: 'unfit', problem: error.message };
    // Any other error of the gateway client: the request may have left.
    return { kind: 'no_answer', why: 'connection_lost' };
  }
}

function outcomeOf(order: Submission, answer: Answer): Outcome {
  return answer.kind === 'unfit'
    ? { kind: 'not_sent', why: 'closed' }
    : outcomeOfSend(answer, expectationOf(order));
}

/**
 * Adds the captures of the authorization to the outcome of a reversal. A reversal ends capturing and returns only what was not captured
 * before, so without the captures its amount is not known: then the attempt stays pending and is queried later.
 */
async function withCaptures(
  deps: Dependencies,
  { operation, entityId, originalId, currency }: Submission,
  outcome: Outcome,
): Promise<Pick<Evidence, 'outcome' | 'original'>> {
  if (operation !== 'reversal' || outcome.kind !== 'succeeded' || originalId === null) return { outcome };
  const isOpen = { outcome: { kind: 'pending', gatewayId: outcome.gatewayId } } as const;
  try {
    const { at } = await deps.ledger.paymentBeforeQuery(originalId);
    const original = await queryStoredPayment(queryingFor('doubt', deps), {
      ...{ entityId, paymentId: originalId, currency, observedAt: at },
      eachCapture: false,
    });
    return original.kind === 'read' ? { outcome, original: original.facts } : isOpen;
  } catch {
    // No query is left in the budget, or the database that counts them is unavailable. The answer is recorded all the same.
    return isOpen;
  }
}

/** Returns what a transaction shows beside its outcome, for operators. */
export const shownBy = ({
  result,
  settlement,
  cardLast4,
}: GatewayTransaction): Pick<Evidence, 'description' | 'settlement' | 'cardLast4'> => ({
  description: result.description,
  ...(settlement === undefined ? {} : { settlement }),
  ...(cardLast4 === undefined ? {} : { cardLast4 }),
});

/** Returns the values that an answer or a query's entry must have to be about `order`. */
export function expectationOf(
  order: Pick<Submission, 'operation' | 'originalId' | 'reference' | 'amountMinor' | 'currency'>,
): Expectation {
  return {
    operation: order.operation,
    amountMinor: order.amountMinor,
    currency: order.currency,
    reference: order.reference,
    ...(order.originalId === null ? {} : { originalId: order.originalId }),
  };
}

/**
 * Retries `work`, which records the gateway's answer, as long as this process lives: also after the activity was canceled or timed out, while
 * the database is unavailable, and while the worker shuts down. The answer is stored nowhere else. If the process dies the attempt stays
 * submitted without an answer, and the next run queries the gateway.
 */
export async function untilStored<T>(deps: Dependencies, work: () => Promise<T>): Promise<T> {
  for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof LedgerError) throw error;
    }
    await deps.pause(pause);
  }
}
