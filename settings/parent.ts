/** A process that another one started with a channel between them ends with it, however that one ended. */

/** Calls `stop` once: on a signal to end, or when the parent process is gone. */
export function whenToStop(stop: () => void): void {
  let isReported = false;
  const once = (): void => {
    if (isReported) return;
    isReported = true;
    stop();
  };
  process.once('SIGTERM', once);
  process.once('SIGINT', once);
  if (process.channel === undefined) return;
  process.once('disconnect', once);
  // The channel is only watched: it must not be what keeps the process alive.
  process.channel.unref();
}
