/** Whether a process id belongs to a process that runs, whoever owns it. */

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not permitted means that there is somebody to be protected from us.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
