/** How long a worker that is told to stop takes at most: whoever stops it (Compose, Kubernetes) has to wait longer. Milliseconds. */

/** Longer than a send window and an answer together: an answer on its way is still recorded. */
export const SHUTDOWN_GRACE = 150_000;
/** After this an activity that goes on is left behind; its attempt is found as submitted and looked up. */
export const SHUTDOWN_FORCE = 170_000;
