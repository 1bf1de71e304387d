/** Stops a child process when its parent process has ended, for whatever reason. The two share an IPC channel. */

/** Calls `stop` once: on SIGTERM or SIGINT, or when the parent process is gone. */
export function whenToStop(stop: () => void): void {
  let isStopping = false;
  const once = (): void => {
    if (isStopping) return;
    isStopping = true;
    stop();
  };
  process.once('SIGTERM', once);
  process.once('SIGINT', once);
  if (process.channel === undefined) return;
  process.once('disconnect', once);
  // The channel is watched only: it must not keep the process alive.
  process.channel.unref();
}
