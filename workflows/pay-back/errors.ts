/** Errors of `payBack`, and whether a client may undo its own steps after one of them. */
import { ActivityFailure, ApplicationFailure, CancelledFailure } from '@temporalio/workflow';

/** The idempotency key belongs to a refund that was requested with another body. That refund may pay. */
const KEY_REUSED = 'idempotency_key_reused';

/**
 * True if `error`, thrown by `payBack`, means that no refund of this key pays and none will: the client may undo what it did for the refund.
 * False for everything else: the customer may have the money or may still get it.
 */
export function isSafeToCompensate(error: unknown): boolean {
  if (error instanceof CancelledFailure) return true;
  const failure = applicationFailureIn(error);
  return failure !== undefined && failure.type !== KEY_REUSED;
}

export const isKeyReused = (error: unknown): boolean => applicationFailureIn(error)?.type === KEY_REUSED;

function applicationFailureIn(error: unknown): ApplicationFailure | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof ApplicationFailure ? cause : undefined;
}
