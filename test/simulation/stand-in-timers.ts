/** Takes the place of `node:timers/promises` in the simulation: waiting on virtual time, inside of a process that may die or freeze. */
import { runningWorld } from './world/stand-ins.js';

export function setTimeout(
  ms: number,
  value: unknown,
  { signal }: { readonly signal: AbortSignal },
): Promise<unknown> {
  const { scheduler, signals } = runningWorld('a timer');
  const context = signals.get(signal);
  if (context === undefined) throw new Error('a timer outside of an activity');
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      scheduler.cancel(timer);
      reject(new DOMException('aborted', 'AbortError'));
    };
    const timer = scheduler.after(ms, () => {
      signal.removeEventListener('abort', abort);
      context.process.deliver(() => {
        resolve(value);
      });
    });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
