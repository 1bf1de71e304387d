/** Activities for callers' own workflows: accepting a refund, and asking where it stands. */
import { ApplicationFailure } from '@temporalio/common';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { RefundConfig, StartSettings } from '../../domain/refund/config.js';
import type { RefundRequestInput } from '../../domain/refund/request.js';
import { LedgerError } from '../../ledger/ledger.js';
import type { RefundRecord } from '../../ledger/core/refund-record.js';
import { acceptRefund, PaymentUnreadable, RequestRefused, storedKeyOf } from './accept.js';
import type { Dependencies } from '../dependencies.js';

export type { StartSettings };

export interface ClientOrder {
  readonly clientId: string;
  /** One key for one intent, for example `order-4711-cancellation`. */
  readonly idempotencyKey: string;
  readonly requestedBy: string;
  readonly request: RefundRequestInput;
}

/** What starts the refund's workflow. */
export interface AcceptedOrder {
  readonly paymentId: string;
  readonly input: {
    readonly refundId: string;
    readonly config: RefundConfig;
    readonly queryTaskQueue: string;
  };
}

export interface ClientActivities {
  acceptRefund(order: ClientOrder): Promise<AcceptedOrder>;
  /** The refund that is stored under the order's caller and key, whatever else it asks for; null where there is none. */
  acceptedBefore(order: ClientOrder): Promise<AcceptedOrder | null>;
  refundSnapshot(refundId: string): Promise<RefundSnapshot>;
}

/**
 * `confirmTask` rejects where Temporal does not wait for this try of the activity any more, and has it wait anew
 * otherwise. A worker that was frozen before it began would else store a refund that its client was told is refused.
 */
export function createClientActivities(
  deps: Dependencies,
  settings: StartSettings,
  confirmTask: () => Promise<void> = () => Promise.resolve(),
): ClientActivities {
  const toStart = ({ id, paymentId, entityId }: RefundRecord): AcceptedOrder => ({
    paymentId,
    input: {
      refundId: id,
      config: settings.configFor(entityId),
      queryTaskQueue: settings.queryTaskQueue,
    },
  });
  return {
    async acceptRefund(order) {
      const askedAt = deps.now();
      await confirmTask();
      try {
        return toStart((await acceptRefund(deps, order, askedAt)).refund);
      } catch (error) {
        // What the caller has to mend is not retried; everything else is.
        if (error instanceof RequestRefused)
          throw ApplicationFailure.create({
            type: 'invalid_request',
            message: error.message,
            nonRetryable: true,
            details: [error.problems],
          });
        if (error instanceof PaymentUnreadable)
          throw ApplicationFailure.create({
            type: 'payment_unreadable',
            message: error.message,
            nonRetryable: true,
          });
        if (error instanceof LedgerError)
          throw ApplicationFailure.create({
            type: error.code,
            message: error.message,
            nonRetryable: true,
            details: [error.details],
          });
        throw error;
      }
    },
    async acceptedBefore(order) {
      const stored = storedKeyOf(order);
      if (stored === undefined) return null;
      const [refund] = await deps.ledger.listRefunds({ ...stored, limit: 1 });
      return refund === undefined ? null : toStart(refund);
    },
    refundSnapshot: (refundId) => deps.ledger.snapshot(refundId),
  };
}
