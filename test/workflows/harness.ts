/** Harness of the tests in this folder: the stack with waits of milliseconds, and functions to run refunds and wait for their states. */
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach } from 'vitest';
import { acceptRefund } from '../../activities/refund/accept.js';
import { createRefundWorkflow } from '../../client/refund-workflow.js';
import type { RefundConfig, Timings } from '../../domain/refund/config.js';
import type { RefundState } from '../../domain/refund/states.js';
import type { RefundRecord } from '../../ledger/core/refund-record.js';
import { startStack, type Stack, type StackOptions } from '../support/stack.js';
import { refundWorkflowId } from '../../workflows/refund/contract.js';
import type { refund } from '../../workflows/refund/workflow.js';

/** Timings that keep every wait, and make each too short to delay a test. */
const TIMINGS: Partial<Timings> = {
  // A busy machine must not miss it. A test that waits for its end sets a shorter one.
  sendWindow: 10_000,
  queryMax: 400,
  visibilityLag: 100,
  notFoundSpacing: 30,
  retryFirst: 50,
  retryMax: 500,
  issuerRetryAfter: 100,
};

/** Requester in all tests of this folder. Another operator has to approve. */
export const CLERK = 'clerk';

export type RefundHandle = WorkflowHandle<typeof refund>;

export interface Harness extends Stack {
  /** Accepts a refund: it is stored and its money reserved. Starts no run. */
  accept(paymentId: string, amount: string, idempotencyKey?: string): Promise<RefundRecord>;
  /** Starts the refund's run, or returns the run that exists. */
  drive(refundId: string, timings?: Partial<Timings>): Promise<RefundHandle>;
  /** `accept` and `drive`. */
  pay(
    paymentId: string,
    amount: string,
    timings?: Partial<Timings>,
  ): Promise<{ readonly refundId: string; readonly handle: RefundHandle }>;
  refund(refundId: string): Promise<RefundRecord>;
  /** Waits until `fact` is true of the refund in the ledger. */
  untilRefund(refundId: string, fact: (refund: RefundRecord) => boolean): Promise<RefundRecord>;
  untilState(refundId: string, state: RefundState): Promise<RefundRecord>;
  /** Waits until a refund or credit on the payment is executed at the gateway, whatever the answer was. */
  untilExecuted(paymentId: string): Promise<void>;
}

const WAIT_MS = 120_000;
/** Milliseconds until a separate process is ready. It compiles first, which takes long on a busy machine. */
export const START_MS = 120_000;

/** Waits until `read` returns a value. Fails with `what` if it does not in time. */
export async function eventually<T>(
  what: string,
  read: () => Promise<T | undefined> | T | undefined,
  waitMs = WAIT_MS,
): Promise<T> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const found = await read();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`not within ${waitMs} ms: ${what}`);
    await pause(50);
  }
}

/** Opens the harness; call it at the top of a file. After each test (side by side: after the last) refunds are at rest and books agree. */
export async function openHarness(
  options: StackOptions & { readonly sideBySide?: boolean } = {},
): Promise<Harness> {
  const stack = await startStack({ ...options, timings: { ...TIMINGS, ...options.timings } });
  const { dependencies, gateway, queues, temporal } = stack;
  const { ledger } = dependencies;
  afterAll(() => stack.close({ booksAgree: false }));

  const refundOf = async (refundId: string): Promise<RefundRecord> => {
    const found = await ledger.findRefund(refundId);
    if (found === null) throw new Error(`no refund ${refundId}`);
    return found;
  };
  const accept: Harness['accept'] = async (paymentId, amount, idempotencyKey = crypto.randomUUID()) => {
    const request = { paymentId, amount, currency: 'EUR', reason: 'order_cancelled' };
    const order = { clientId: 'shop', idempotencyKey, requestedBy: CLERK, request };
    return (await acceptRefund(dependencies, order)).refund;
  };
  const drive: Harness['drive'] = async (refundId, timings) => {
    const config: RefundConfig = { ...stack.config, timings: { ...stack.config.timings, ...timings } };
    await createRefundWorkflow(temporal, { ...stack.start, configFor: () => config }, queues).start(
      await refundOf(refundId),
    );
    return temporal.workflow.getHandle<typeof refund>(refundWorkflowId(refundId));
  };
  const untilRefund: Harness['untilRefund'] = (refundId, fact) =>
    eventually(`refund ${refundId}: ${fact.toString()}`, async () => {
      const found = await refundOf(refundId);
      return fact(found) ? found : undefined;
    });
  // Hooks run in reverse: this one runs before the stack is closed.
  if (options.sideBySide === true) afterAll(stack.expectBooksAgree);
  else afterEach(stack.expectBooksAgree);

  return {
    ...stack,
    accept,
    drive,
    async pay(paymentId, amount, timings) {
      const { id } = await accept(paymentId, amount);
      return { refundId: id, handle: await drive(id, timings) };
    },
    refund: refundOf,
    untilRefund,
    untilState: (refundId, state) => untilRefund(refundId, (found) => found.state === state),
    async untilExecuted(paymentId) {
      await eventually('money has left', () =>
        (gateway.engine.leftMerchant({ originals: [paymentId] })[0]?.total ?? 0n) > 0n ? true : undefined,
      );
    },
  };
}
