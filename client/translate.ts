/** What the parts below throw, as one of the client's errors. What has no place among them is a defect and stays what it is. */
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

/** What accepting a refund threw. */
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

/** What starting a run threw. The refund is in the ledger. */
export function fromStart(refundId: string, error: unknown): unknown {
  const rpc = rpcError(error);
  if (!isGrpcServiceError(rpc) && !isGrpcDeadlineError(rpc)) return error;
  const reason = reasonOf(error);
  return new RefundsError(
    'temporal_unavailable',
    reason === undefined
      ? `Temporal could not be reached; refund ${refundId} is stored, and the sweep starts it by itself once Temporal is back; to start it sooner, ask for it again`
      : `Temporal refuses to start refund ${refundId}: ${reason}. It is stored, and the sweep starts it by itself once that is fixed`,
    { details: { refundId }, cause: error },
  );
}

/** What a person's word to a run threw. */
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
      ? `refund ${refundId}: there was no answer from Temporal or its worker; whether it takes effect is open, and saying the same again is safe`
      : `refund ${refundId}: Temporal refuses it: ${reason}; once that is fixed, saying the same again is safe`,
    { details: { refundId }, cause: error },
  );
}

const rpcError = (error: unknown): unknown => (error instanceof ServiceError ? error.cause : error);
