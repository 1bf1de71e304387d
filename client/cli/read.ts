/** The commands `list` and `watch`. */
import type { RefundState, RefundStatus } from '../../domain/refund/states.js';
import { isFinal } from '../../domain/refund/states.js';
import { waitingForOperator } from '../../ledger/views/queue.js';
import { OPERATOR_STATES, viewOf, type Refund } from '../view.js';
import { EXIT, type ExitCode } from './exit.js';
import { changeText, listText, queueText } from './render.js';
import { run, type OutputOptions, type Session } from './session.js';

export interface ListOptions extends OutputOptions {
  readonly payment?: string | undefined;
  readonly state?: RefundState | undefined;
  readonly status?: RefundStatus | undefined;
  readonly stuck?: true | undefined;
  readonly limit?: number | undefined;
}

export function list(options: ListOptions): Promise<ExitCode> {
  const { payment, state, status, stuck, limit } = options;
  return run(options, async ({ client, database, screen, print }) => {
    if (stuck === true && payment === undefined && state === undefined && status === undefined) {
      const { items } = await waitingForOperator(database, OPERATOR_STATES, { limit: limit ?? 100 });
      const queue = items.map(({ refund, ageSeconds }) => ({ ...viewOf(refund), ageSeconds }));
      print(queue, () => queueText(queue, screen));
      return EXIT.done;
    }
    const refunds = await client.listRefunds({
      ...(payment === undefined ? {} : { paymentId: payment }),
      ...(state === undefined ? {} : { state }),
      ...(status === undefined ? {} : { status }),
      ...(stuck === undefined ? {} : { stuck }),
      ...(limit === undefined ? {} : { limit }),
    });
    print(refunds, () => listText(refunds, screen));
    return EXIT.done;
  });
}

/** Prints a line for each change until the refund is final or needs an operator. With `--json` each line is the whole refund. */
export function watch(id: string, options: OutputOptions): Promise<ExitCode> {
  return run(options, async (session) => {
    const line = (text: string): void => {
      process.stdout.write(`${text}\n`);
    };
    return outcome(await follow(session, id, undefined, line));
  });
}

/** Passes a line for each change to `onChange` until the refund is final, needs an operator, or `ms` milliseconds are over. */
export async function follow(
  { client, json, screen }: Session,
  id: string,
  ms: number | undefined,
  onChange: (line: string) => void,
): Promise<Refund> {
  const limit = ms === undefined ? undefined : AbortSignal.timeout(ms);
  let last: Refund | undefined;
  try {
    for await (const refund of client.watch(id, limit === undefined ? {} : { signal: limit })) {
      last = refund;
      onChange(json ? JSON.stringify(refund) : changeText(refund, screen));
      if (isFinal(refund.state) || needsOperator(refund)) return refund;
    }
  } catch (error) {
    if (limit?.aborted !== true) throw error;
  }
  return last ?? client.getRefund(id);
}

const needsOperator = ({ state }: Refund): boolean => OPERATOR_STATES.includes(state);

/** Returns the exit code for a refund. A refund that continues by itself is no failure. */
export function outcome(refund: Refund): ExitCode {
  if (needsOperator(refund)) return EXIT.operatorNeeded;
  return refund.status === 'failed' || refund.status === 'canceled' ? EXIT.failed : EXIT.done;
}
