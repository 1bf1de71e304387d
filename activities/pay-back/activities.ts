/** Activities for clients' own workflows: accepting a refund, and finding one that was accepted before. */
import { ApplicationFailure } from '@temporalio/common';
import type { RefundConfig, StartSettings } from '../../domain/refund/config.js';
import type { RefundRequestInput } from '../../domain/refund/request.js';
import { LedgerError } from '../../ledger/ledger.js';
import type { RefundRecord } from '../../ledger/core/refund-record.js';
import { acceptRefund, PaymentUnreadable, RequestRefused, storedKeyOf } from '../refund/accept.js';
import type { Dependencies } from '../dependencies.js';

export type { StartSettings };

export interface ClientOrder {
  readonly clientId: string;
  /** One key for one intent, for example `order-4711-cancellation`. */
  readonly idempotencyKey: string;
  readonly requestedBy: string;
  readonly request: RefundRequestInput;
}

/** An accepted refund, with the input of its workflow. */
export interface AcceptedRefund {
  readonly paymentId: string;
  readonly input: {
    readonly refundId: string;
    readonly config: RefundConfig;
    readonly queryTaskQueue: string;
  };
}

export interface ClientActivities {
  /**
   * Accepts the order. Fails without retry, with an `ApplicationFailure` whose type is a stable code, if the client has to change something:
   * `invalid_request`, `payment_unreadable`, or the code of a `LedgerError`. Everything else is retried.
   */
  acceptRefund(order: ClientOrder): Promise<AcceptedRefund>;
  /** Returns the refund that is stored under the order's client and key, whatever its body; null if there is none. */
  findAccepted(order: ClientOrder): Promise<AcceptedRefund | null>;
}

/**
 * `confirmTask`: sends a heartbeat; rejects if Temporal no longer waits for this try of the activity. Without it, a worker that was frozen
 * could store a refund after its client had received the error that the refund was not accepted.
 */
export function createClientActivities(
  deps: Dependencies,
  settings: StartSettings,
  confirmTask: () => Promise<void> = () => Promise.resolve(),
): ClientActivities {
  const accepted = ({ id, paymentId, entityId }: RefundRecord): AcceptedRefund => ({
    paymentId,
    input: {
      refundId: id,
      config: settings.configFor(entityId),
      queryTaskQueue: settings.queryTaskQueue,
    },
  });
  return {
    async acceptRefund(order) {
      const receivedAt = deps.now();
      await confirmTask();
      try {
        const { refund } = await acceptRefund(deps, order, receivedAt);
        return accepted(refund);
      } catch (error) {
        throw withoutRetry(error) ?? error;
      }
    },
    async findAccepted(order) {
      const stored = storedKeyOf(order);
      if (stored === undefined) return null;
      const [refund] = await deps.ledger.listRefunds({ ...stored, limit: 1 });
      return refund === undefined ? null : accepted(refund);
    },
  };
}

/** Returns the failure for an error that the client has to fix; undefined for an error that a retry may solve. */
function withoutRetry(error: unknown): ApplicationFailure | undefined {
  const failure = (type: string, { message }: Error, details: unknown[]): ApplicationFailure =>
    ApplicationFailure.create({ type, message, nonRetryable: true, details });
  if (error instanceof RequestRefused) return failure('invalid_request', error, [error.problems]);
  if (error instanceof PaymentUnreadable) return failure('payment_unreadable', error, []);
  if (error instanceof LedgerError) return failure(error.code, error, [error.details]);
  return undefined;
}
