/** Times of a worker's shutdown, in milliseconds. Compose or Kubernetes must wait longer before they kill the process. */

/** Longer than send window plus answer time, so that the gateway's answer to a submission is still recorded. */
export const SHUTDOWN_GRACE = 150_000;
/** After this, running activities are abandoned. The next run finds their attempts as submitted and queries the gateway. */
export const SHUTDOWN_FORCE = 170_000;
