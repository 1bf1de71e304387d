/** What every test of this folder works with: the stack with waits of milliseconds, and refunds followed run by run. */
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

/** Every wait is still a wait, and none is long enough to be waited for. */
const TIMINGS: Partial<Timings> = {
  // A machine that is busy must not miss it: a test that waits for its end takes a shorter one.
  sendWindow: 10_000,
  queryMax: 400,
  visibilityLag: 100,
  notFoundSpacing: 30,
  retryFirst: 50,
  retryMax: 500,
  issuerRetryAfter: 100,
};

/** Who asks in all tests of this folder; somebody else has to approve. */
export const CLERK = 'clerk';

export type RefundHandle = WorkflowHandle<typeof refund>;

export interface Harness extends Stack {
  /** Promised and reserved; nothing runs yet. */
  accept(paymentId: string, amount: string, idempotencyKey?: string): Promise<RefundRecord>;
  /** A run, new or the one that is under way. */
  drive(refundId: string, timings?: Partial<Timings>): Promise<RefundHandle>;
  /** `accept` and `drive`. */
  pay(
    paymentId: string,
    amount: string,
    timings?: Partial<Timings>,
  ): Promise<{ readonly refundId: string; readonly handle: RefundHandle }>;
  refund(refundId: string): Promise<RefundRecord>;
  /** Waits until `fact` holds of the refund as the ledger has it. */
  untilRefund(refundId: string, fact: (refund: RefundRecord) => boolean): Promise<RefundRecord>;
  untilState(refundId: string, state: RefundState): Promise<RefundRecord>;
  /** Waits until a refund or credit on the payment has been executed at the gateway, whatever has been answered. */
  untilExecuted(paymentId: string): Promise<void>;
}

const WAIT_MS = 120_000;
/** Milliseconds. Until a process of its own is ready, which compiles first; on a busy machine that takes its time. */
export const START_MS = 120_000;

/** Waits until `read` answers something; fails with `what` when it does not in time. */
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

/** Call it while the file is read. After each test (or the last one, where tests run side by side) every refund ends or is with a person, and the books agree. */
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
  // Hooks run in reverse: this one before the stack is closed.
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
