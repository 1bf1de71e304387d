/** Activities for callers' own workflows: accepting a refund, and asking where it stands. */
import { ApplicationFailure } from '@temporalio/common';
import type { Position } from '../domain/next-step.js';
import type { Plan, StartSettings } from '../domain/plan.js';
import type { RefundRequestInput } from '../domain/request.js';
import { LedgerError } from '../ledger/ledger.js';
import { acceptRefund, RequestRefused } from './accept.js';
import type { Dependencies } from './dependencies.js';

export type { StartSettings };

export interface CallerOrder {
  readonly caller: string;
  /** One key for one intent, for example `order-4711-cancellation`. */
  readonly idempotencyKey: string;
  readonly requestedBy: string;
  readonly request: RefundRequestInput;
}

/** What starts the refund's workflow. */
export interface AcceptedOrder {
  readonly paymentId: string;
  readonly input: { readonly refundId: string; readonly plan: Plan; readonly lookUpTaskQueue: string };
}

export interface CallerActivities {
  acceptRefund(order: CallerOrder): Promise<AcceptedOrder>;
  refundPosition(refundId: string): Promise<Position>;
}

export function createCallerActivities(deps: Dependencies, settings: StartSettings): CallerActivities {
  return {
    async acceptRefund(order) {
      try {
        const { refund } = await acceptRefund(deps, order);
        return {
          paymentId: refund.paymentId,
          input: {
            refundId: refund.id,
            plan: settings.planFor(refund.entityId),
            lookUpTaskQueue: settings.lookUpTaskQueue(refund.entityId),
          },
        };
      } catch (error) {
        // What the caller has to mend is not retried; everything else is.
        if (error instanceof RequestRefused)
          throw ApplicationFailure.create({
            type: 'invalid_request',
            message: error.message,
            nonRetryable: true,
            details: [error.problems],
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
    refundPosition: (refundId) => deps.ledger.position(refundId),
  };
}
