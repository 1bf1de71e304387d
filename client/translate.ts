/** What the parts below throw, as one of the client's errors. What has no place among them is a defect and stays what it is. */
import {
  isGrpcDeadlineError,
  isGrpcServiceError,
  ServiceError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { GatewayUnavailable, RequestRefused } from '../activities/accept.js';
import { LedgerError } from '../ledger/ledger.js';
import { invalid, RefundsError } from './errors.js';

/** What accepting a refund threw. */
export function fromAcceptance(error: unknown): unknown {
  if (error instanceof RequestRefused) return invalid(error.problems);
  if (error instanceof GatewayUnavailable)
    return new RefundsError('gateway_unavailable', error.message, { cause: error });
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

/** What a call to Temporal threw about this refund, which is in the ledger. */
export function fromTemporal(refundId: string, error: unknown): unknown {
  const more = { details: { refundId }, cause: error };
  const rpc = error instanceof ServiceError ? error.cause : error;
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isGrpcDeadlineError(rpc))
    return new RefundsError(
      'no_answer',
      `refund ${refundId}: no worker answered in time; whether it takes effect is open, and the same again is safe`,
      more,
    );
  if (error instanceof WorkflowUpdateFailedError)
    return new RefundsError(
      'no_answer',
      `refund ${refundId}: ${error.cause?.message ?? error.message}`,
      more,
    );
  if (isGrpcServiceError(rpc))
    return new RefundsError(
      'temporal_unavailable',
      `Temporal could not be reached (${rpc.details}); refund ${refundId} is stored and goes on as soon as it is started: ask again, or resume`,
      more,
    );
  return error;
}
