/** The one door through which money leaves: an attempt that is written down is sent once, and its answer recorded. */
import type { Moment } from '../../domain/clock.js';
import { gatewayAmount, storedMoney } from '../../domain/money/money.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import { idsInAnswer, outcomeOfSend, type Expectation, type Outcome } from '../../domain/refund/outcome.js';
import type { Timings } from '../../domain/refund/config.js';
import type { SendResult } from '../../domain/transaction.js';
import { GatewayInputError, GatewaySettingsError } from '../../gateway/errors.js';
import type { SendLimits } from '../../gateway/gateway.js';
import { LedgerError, type Evidence, type Submission } from '../../ledger/ledger.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { queryKnown } from './originals.js';

/**
 * Sends `order`, which was opened after `openedAfter`, and records what came of it. The deadline counts from before the attempt was opened,
 * so it has passed here whenever it has passed by the database's clock, also where this machine was suspended meanwhile.
 */
export async function send(
  deps: Dependencies,
  refundId: string,
  order: Submission,
  openedAfter: Moment,
  timings: Timings,
): Promise<RefundSnapshot> {
  const { sendWindow, answerWithin } = timings;
  const limits = { openedAt: openedAfter, sendWindow, answerWithin };
  const answer = await handOver(deps, order, limits);
  const evidence: Evidence = {
    attemptId: order.attemptId,
    send: order.send,
    source: 'answer',
    ...(await measured(deps, order, outcomeOf(deps, order, answer))),
    ids: answer.kind === 'unfit' ? [] : idsInAnswer(answer),
    ...(answer.kind === 'answered'
      ? { code: answer.transaction.result.code, description: answer.transaction.result.description }
      : {}),
  };
  const snapshot = await persist(deps, () => deps.ledger.record(evidence));
  return answer.kind === 'unfit'
    ? deps.ledger.ask(refundId, 'configuration', { problem: answer.problem })
    : snapshot;
}

/** `unfit`: our own data or settings make no request; nothing has left. */
type Answer = SendResult | { readonly kind: 'unfit'; readonly problem: string };

async function handOver(deps: Dependencies, order: Submission, limits: SendLimits): Promise<Answer> {
  const { gateway } = deps;
  const common = { entityId: order.entityId, merchantTransactionId: order.reference, limits };
  const amount = gatewayAmount(storedMoney(order.amountMinor, order.currency));
  if (!amount.ok) return { kind: 'unfit', problem: amount.error };
  const { currency } = order;
  try {
    switch (order.operation) {
      case 'refund':
        return await gateway.refund({
          paymentId: order.originalId ?? '',
          amount: amount.text,
          currency,
          ...common,
        });
      case 'reversal':
        return await gateway.reverse({
          paymentId: order.originalId ?? '',
          ...(order.isPartialReversal ? { partial: { amount: amount.text, currency } } : {}),
          ...common,
        });
      case 'credit':
        return await gateway.creditRegistration({
          registrationId: order.registrationId ?? '',
          amount: amount.text,
          currency,
          ...common,
        });
      default:
        return order.operation satisfies never;
    }
  } catch (error) {
    if (error instanceof GatewayInputError || error instanceof GatewaySettingsError)
      return { kind: 'unfit', problem: error.message };
    // Whatever else went wrong in the client: it may have left.
    return { kind: 'no_answer', why: 'connection_lost' };
  }
}

function outcomeOf(deps: Dependencies, order: Submission, answer: Answer): Outcome {
  return answer.kind === 'unfit'
    ? { kind: 'not_sent', why: 'closed' }
    : outcomeOfSend(answer, expectationOf(deps, order));
}

/**
 * A reversal that was executed is read together with the captures of its authorization: from then on nothing more is captured, and only
 * what was not captured before is given back. Where they cannot be read it is open, and looked up like everything that is.
 */
async function measured(
  deps: Dependencies,
  { operation, entityId, originalId, currency }: Submission,
  outcome: Outcome,
): Promise<Pick<Evidence, 'outcome' | 'original'>> {
  if (operation !== 'reversal' || outcome.kind !== 'succeeded' || originalId === null) return { outcome };
  const isOpen = { outcome: { kind: 'pending', gatewayId: outcome.gatewayId } } as const;
  try {
    const { at } = await deps.ledger.paymentBeforeQuery(originalId);
    const original = await queryKnown(queryingFor('doubt', deps), {
      ...{ entityId, paymentId: originalId, currency, observedAt: at },
      eachCapture: false,
    });
    return original.kind === 'read' ? { outcome, original: original.facts } : isOpen;
  } catch {
    // No query is left in the budget, or the database that counts them is away. The answer is recorded all the same.
    return isOpen;
  }
}

/** What an answer or a look-up entry must agree with. */
export function expectationOf(
  deps: Dependencies,
  order: Pick<Submission, 'operation' | 'entityId' | 'originalId' | 'reference' | 'amountMinor' | 'currency'>,
): Expectation {
  return {
    operation: order.operation,
    amountMinor: order.amountMinor,
    currency: order.currency,
    reference: order.reference,
    host: deps.hostOf(order.entityId),
    ...(order.originalId === null ? {} : { originalId: order.originalId }),
  };
}

/**
 * Records what the gateway answered, for as long as this process lives: also after the activity was cancelled or timed out, while the
 * database is unavailable, and while the worker shuts down. Nothing else knows the answer. A process that dies leaves the attempt
 * submitted without an answer, and the next run queries the gateway.
 */
async function persist<T>(deps: Dependencies, work: () => Promise<T>): Promise<T> {
  for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof LedgerError) throw error;
    }
    await deps.pause(pause);
  }
}
