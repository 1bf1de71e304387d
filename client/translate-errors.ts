/** Translates errors of the ledger, the gateway and Temporal into `RefundsError`. Other errors are defects and are returned as they are. */
import {
  isGrpcDeadlineError,
  isGrpcServiceError,
  ServiceError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { GatewayUnavailable, PaymentUnreadable, RequestRefused } from '../activities/refund/accept.js';
import { LedgerError } from '../ledger/ledger.js';
import { reasonOf } from '../temporal/search-attributes.js';
import { invalid, RefundsError } from './errors.js';

/** Translates an error of accepting a refund. */
export function fromAcceptance(error: unknown): unknown {
  if (error instanceof RequestRefused) return invalid(error.problems);
  if (error instanceof GatewayUnavailable)
    return new RefundsError('gateway_unavailable', error.message, {
      retryAfter: error.retryAfter,
      cause: error,
    });
  if (error instanceof PaymentUnreadable)
    return new RefundsError('payment_unreadable', error.message, { cause: error });
  return fromLedger(error);
}

function fromLedger(error: unknown): unknown {
  if (!(error instanceof LedgerError)) return error;
  const { code, message, details } = error;
  return new RefundsError(code === 'refund_unknown' ? 'refund_not_found' : code, message, {
    details,
    cause: error,
  });
}

/** Translates an error of starting a run. The refund itself is already stored. */
export function fromStart(refundId: string, error: unknown): unknown {
  const rpc = rpcError(error);
  if (!isGrpcServiceError(rpc) && !isGrpcDeadlineError(rpc)) return error;
  const reason = reasonOf(error);
  return new RefundsError(
    'temporal_unavailable',
    reason === undefined
      ? `Temporal could not be reached. Refund ${refundId} is stored; the sweep starts it once Temporal is available. To start it sooner, repeat the request`
      : `Temporal refuses to start refund ${refundId}: ${reason}. It is stored; the sweep starts it once that is fixed`,
    { details: { refundId }, cause: error },
  );
}

/** Translates an error of a command sent to a run. */
export function fromUpdate(refundId: string, error: unknown): unknown {
  const failure = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  if (failure instanceof ApplicationFailure && failure.type === 'invalid_input')
    return invalid([{ field: '(message)', code: 'invalid', message: failure.message }]);
  const isOpen =
    error instanceof WorkflowUpdateFailedError ||
    error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ||
    isGrpcServiceError(rpcError(error)) ||
    isGrpcDeadlineError(error);
  if (!isOpen) return error;
  const reason = reasonOf(error);
  return new RefundsError(
    'no_answer',
    reason === undefined
      ? `refund ${refundId}: Temporal or its worker did not answer. The command may still take effect; repeating it is safe`
      : `refund ${refundId}: Temporal refuses it: ${reason}. Once that is fixed, repeating it is safe`,
    { details: { refundId }, cause: error },
  );
}

const rpcError = (error: unknown): unknown => (error instanceof ServiceError ? error.cause : error);
