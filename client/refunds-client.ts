/** The typed client: requests refunds, reads and watches them, and sends the commands of operators. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { acceptCredit, acceptRefund, type RefundOrder } from '../activities/refund/accept.js';
import type { StartSettings } from '../activities/pay-back/activities.js';
import type { Dependencies } from '../activities/dependencies.js';
import { startEach } from '../activities/maintenance/sweep.js';
import { isRefundId } from '../domain/ids.js';
import type { InputProblem } from '../domain/refund/request.js';
import {
  isFinal,
  PUBLIC_STATUS,
  REFUND_STATES,
  type RefundState,
  type RefundStatus,
} from '../domain/refund/states.js';
import type { RefundRecord } from '../ledger/core/refund-record.js';
import type { TaskQueues } from '../temporal/task-queues.js';
import { createOperatorCommands, type OperatorCommands } from './operator-commands.js';
import { createRefundWorkflow } from './refund-workflow.js';
import { invalid, notFound, RefundsError } from './errors.js';
import { createReplay, type Replay } from './replay.js';
import { fromAcceptance } from './translate-errors.js';
import { OPERATOR_STATES, viewOf, type Refund } from './view.js';

export interface RefundsClientOptions {
  readonly temporal: Client;
  readonly dependencies: Dependencies;
  readonly start: StartSettings;
  readonly queues: TaskQueues;
  /** Milliseconds until a command without an answer fails with `no_answer`. Default 30,000. */
  readonly answerWithin?: number;
  /** Milliseconds until a start fails with `temporal_unavailable`. Default 10,000: a start needs Temporal, but no worker. */
  readonly startWithin?: number;
}

/** Newest first. Conditions are joined by *and*. */
export interface ListFilter {
  readonly paymentId?: string;
  readonly status?: RefundStatus;
  readonly state?: RefundState;
  /** True: only refunds that wait for an operator. */
  readonly stuck?: boolean;
  /** 1 to 1000, default 100. */
  readonly limit?: number;
  /** The id of a refund: only refunds older than it. */
  readonly before?: string;
}

export interface Submitted {
  readonly refund: Refund;
  /** False if the same key and request were accepted before. */
  readonly isNew: boolean;
  /** Why the workflow could not be started now; null where it was. The refund is stored: the sweep, a repeated request or `resume` starts it. */
  readonly startError: RefundsError | null;
}

/** Every method throws `RefundsError`. Other errors are defects, or the database is unavailable. */
export interface RefundsClient extends OperatorCommands, Replay {
  /** Stores the refund, reserves its amount and starts its workflow. The same key with the same request returns the same refund, also concurrently. */
  requestRefund(order: RefundOrder): Promise<Refund>;
  /** As `requestRefund`, but succeeds as soon as the refund is stored: an unavailable Temporal is reported in `startError`. */
  submitRefund(order: RefundOrder): Promise<Submitted>;
  /** Requests a standalone credit (`CreditRequestInput`), otherwise as `requestRefund`. */
  requestCredit(order: RefundOrder): Promise<Refund>;
  /** As `requestCredit`, but succeeds as soon as the credit is stored. */
  submitCredit(order: RefundOrder): Promise<Submitted>;
  getRefund(id: string): Promise<Refund>;
  listRefunds(filter?: ListFilter): Promise<readonly Refund[]>;
  /** Yields the refund now and after each change. Without `until` it never ends: a success may be returned. */
  watch(
    id: string,
    options?: { readonly until?: 'final'; readonly signal?: AbortSignal },
  ): AsyncIterable<Refund>;
  /** Returns the refund when it is final, or after `ms` milliseconds or the signal at the latest. */
  waitFor(id: string, ms: number, signal?: AbortSignal): Promise<Refund>;
  /** Starts every refund that is not final; a run that is alive is left alone. Returns their number. */
  resume(): Promise<number>;
}

const FIRST_PAUSE = 50;
const PAUSE_GROWTH = 1.5;
const LONGEST_PAUSE = 2_000;
const PAGE = 500;

export function createRefundsClient(options: RefundsClientOptions): RefundsClient {
  const { dependencies } = options;
  const { ledger } = dependencies;
  const driver = createRefundWorkflow(options.temporal, options.start, options.queues, options);

  async function recordOf(id: string): Promise<RefundRecord> {
    const record = isRefundId(id) ? await ledger.findRefund(id) : null;
    if (record === null) throw notFound(id);
    return record;
  }

  const getRefund = async (id: string): Promise<Refund> => viewOf(await recordOf(id));
  const parts = { dependencies, driver, start: options.start, recordOf };

  async function* watch(
    id: string,
    { until, signal }: { readonly until?: 'final'; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Refund, void> {
    let shown = '';
    let pause = FIRST_PAUSE;
    for (;;) {
      const refund = await getRefund(id);
      const text = JSON.stringify(refund);
      if (text !== shown) {
        shown = text;
        pause = FIRST_PAUSE;
        yield refund;
      }
      if (until === 'final' && isFinal(refund.state)) return;
      await sleep(pause, undefined, signal === undefined ? {} : { signal });
      pause = Math.min(pause * PAUSE_GROWTH, LONGEST_PAUSE);
    }
  }

  async function submit(order: RefundOrder, accept: typeof acceptRefund): Promise<Submitted> {
    const { refund, isNew } = await accept(dependencies, order).catch((error: unknown) => {
      throw fromAcceptance(error);
    });
    const submitted = { refund: viewOf(refund), isNew };
    if (isFinal(refund.state)) return { ...submitted, startError: null };
    try {
      await driver.start(refund);
      return { ...submitted, startError: null };
    } catch (error) {
      if (error instanceof RefundsError) return { ...submitted, startError: error };
      throw error;
    }
  }

  async function request(order: RefundOrder, accept: typeof acceptRefund): Promise<Refund> {
    const { refund, startError } = await submit(order, accept);
    if (startError !== null) throw startError;
    return refund;
  }

  return {
    requestRefund: (order) => request(order, acceptRefund),
    submitRefund: (order) => submit(order, acceptRefund),
    requestCredit: (order) => request(order, acceptCredit),
    submitCredit: (order) => submit(order, acceptCredit),
    getRefund,
    async listRefunds(filter = {}) {
      const { paymentId, limit = 100, before } = filter;
      checkList(filter);
      const states = statesOf(filter);
      if (states.length === 0) return [];
      const records = await ledger.listRefunds({
        states,
        limit,
        ...(paymentId === undefined ? {} : { paymentId }),
        ...(before === undefined ? {} : { before }),
      });
      return records.map(viewOf);
    },
    watch,
    async waitFor(id, ms, signal) {
      const until = performance.now() + ms;
      for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * PAUSE_GROWTH, LONGEST_PAUSE)) {
        const refund = await getRefund(id);
        const left = until - performance.now();
        if (isFinal(refund.state) || left <= 0 || signal?.aborted === true) return refund;
        await sleep(Math.min(pause, left), undefined, signal === undefined ? {} : { signal }).catch(
          () => undefined,
        );
      }
    },
    ...createOperatorCommands({ ...parts, getRefund }),
    ...createReplay(parts),
    async resume() {
      let started = 0;
      for (let before: string | undefined; ;) {
        const page = await ledger.listRefunds({
          unfinished: true,
          limit: PAGE,
          ...(before === undefined ? {} : { before }),
        });
        const result = await startEach(page, (record) => driver.start(record));
        if (result.failed[0] !== undefined) throw result.failed[0].error;
        started += result.started;
        before = page.at(-1)?.id;
        if (before === undefined) return started;
      }
    },
  };
}

function statesOf({ status, state, stuck }: ListFilter): readonly RefundState[] {
  return REFUND_STATES.filter(
    (one) =>
      (state === undefined || one === state) &&
      (status === undefined || PUBLIC_STATUS[one] === status) &&
      (stuck !== true || OPERATOR_STATES.includes(one)),
  );
}

function checkList({ limit = 1, before }: ListFilter): void {
  const problems: InputProblem[] = [];
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    problems.push({ field: 'limit', code: 'invalid', message: 'must be a whole number from 1 to 1000' });
  if (before !== undefined && !isRefundId(before))
    problems.push({ field: 'before', code: 'invalid', message: 'must be the id of a refund' });
  if (problems.length > 0) throw invalid(problems);
}
