/** The harness of the conformance tests: the real parts, the gateway's books, and the invariants that are checked after each test. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, expect } from 'vitest';
import { acceptRefund } from '../../activities/refund/accept.js';
import { queryOriginal } from '../../activities/refund/originals.js';
import { createRefundWorkflow } from '../../client/refund-workflow.js';
import { createRefundsClient, type Refund, type RefundsClient } from '../../client/index.js';
import { isGatewayId } from '../../domain/ids.js';
import type { RefundConfig, Policy, Timings } from '../../domain/refund/config.js';
import type { RefundState } from '../../domain/refund/states.js';
import type { PaymentRecord, RefundRecord } from '../../ledger/core/refund-record.js';
import { allRefunds, compareBooks, type Disagreement } from '../../sandbox/demo/books.js';
import { formatAmount } from '../../sandbox/gateway/amounts.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import type { FaultRule } from '../../sandbox/gateway/faults.js';
import type { Transaction } from '../../sandbox/gateway/types.js';
import { refundWorkflowId } from '../../workflows/refund/contract.js';
import type { refund } from '../../workflows/refund/workflow.js';
import { openQuickAudit, violationsOf } from '../ledger/invariants.js';
import { startStack, type Stack, type StackOptions } from '../support/stack.js';

/** Waits that are short, with enough time for real I/O on a loaded machine. */
const TIMINGS: Partial<Timings> = {
  sendWindow: 1_500,
  queryMax: 300,
  visibilityLag: 100,
  notFoundSpacing: 30,
  retryFirst: 50,
  retryMax: 500,
  issuerRetryAfter: 100,
};

/** The requester in these tests; the approver is another operator. */
export const CLERK = 'clerk';
export const SUPERVISOR = { by: 'supervisor', reason: 'checked with the customer' };

/** Longer than any test: such a wait is ended by an event, never by time. */
export const NEVER = 3_600_000;

const WAIT_MS = 120_000;

/** Money that the gateway itself has booked on a payment, in the currency's two decimals. Nothing of it comes from our ledger. */
export interface Booked {
  /** Money that left the merchant for this payment: refunds, reversals, and credits to the card that paid. */
  readonly out: string;
  readonly refunded: string;
  readonly reversed: string;
  readonly credited: string;
  /** Chargebacks that are not reversed. */
  readonly chargedBack: string;
}

export interface QueryStart {
  readonly currency?: string;
  readonly idempotencyKey?: string;
  readonly clientId?: string;
  readonly by?: RefundsClient;
}

export interface Harness extends Stack {
  /** Accepts a refund of 60.00 EUR without starting it. Returns its id. */
  accept(payment: CreatedPayment): Promise<string>;
  /** Accepts a refund and starts it. */
  ask(payment: CreatedPayment, amount: string, how?: QueryStart): Promise<Refund>;
  /** Starts a run of this refund, or returns the one in progress, with the harness's own waits. */
  drive(refundId: string): Promise<void>;
  /** Ends its run and starts the next one with the harness's own waits, so that a refund held by another client's config continues. */
  restart(refundId: string): Promise<void>;
  /** A client whose refunds run with other waits or another policy. */
  clientWith(timings: Partial<Timings>, policy?: Partial<Policy>): RefundsClient;
  /** Sets the outcome of the next submissions for this payment, one effect for each, credits included. */
  onRefund(payment: CreatedPayment, ...effects: readonly FaultRule['effect'][]): void;
  onCredit(payment: CreatedPayment, ...effects: readonly FaultRule['effect'][]): void;
  booked(payment: CreatedPayment): Booked;
  /** Returns all refunds, reversals and credits that the gateway has for this payment, in any state. */
  transactionsOf(payment: CreatedPayment): readonly Transaction[];
  /** Returns how many submissions with this reference arrived at the gateway. */
  ordersUnder(reference: string): number;
  /** Returns how many credits to the card that paid were submitted, executed or not. */
  creditOrders(payment: CreatedPayment): number;
  /** Submits an operation of another system of the same merchant over HTTP. A CD goes to the card that paid. */
  orderElsewhere(payment: CreatedPayment, fields: Readonly<Record<string, string>>): Promise<void>;
  /** Queries the original and records it, as a notification or a comparison of the books does. */
  readOriginal(payment: CreatedPayment): Promise<void>;
  /** Returns the ledger's own balance. */
  balance(payment: CreatedPayment): Promise<PaymentRecord>;
  /** Returns the reasons of the refund's open cases. */
  openCases(refundId: string): Promise<readonly string[]>;
  /** Waits until the refund is in this state. */
  until(refundId: string, is: RefundState | ((refund: Refund) => boolean)): Promise<Refund>;
  /** Waits until the gateway has executed something for the payment, whatever it answered. */
  untilExecuted(payment: CreatedPayment): Promise<void>;
  run(refundId: string): WorkflowHandle<typeof refund>;
}

/** Waits until `read` returns a value; fails with `what` when it does not in time. */
export async function eventually<T>(
  what: string,
  read: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const found = await read();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`not within ${WAIT_MS} ms: ${what}`);
    await pause(50);
  }
}

export interface HarnessOptions extends StackOptions {
  /** True if an attempt may still be open at the end of the file, because an operator waits for an answer. The books agree all the same. */
  readonly mayStayOpen?: boolean;
}

/**
 * Must be called at the top level of a test file. After each test I1 to I5 hold in the tables. At the end of the file the gateway's books equal
 * the ledger to the cent (I6), no card and no secret is stored anywhere, each final refund can be run again without an effect (I7), and each fact can be recorded again without a change (I8).
 */
export async function openHarness(options: HarnessOptions = {}): Promise<Harness> {
  const stack = await startStack({ ...options, timings: { ...TIMINGS, ...options.timings } });
  const { dependencies, gateway, temporal, database } = stack;
  const { engine } = gateway;
  const { ledger } = dependencies;
  const audit = openQuickAudit(stack.databaseUrl, database);
  afterAll(() => stack.close({ booksAgree: false }));
  afterAll(() => audit.close());
  afterEach(async () => {
    expect(await audit.violations(), 'I1 to I8').toEqual([]);
  });
  // Hooks run in reverse order: this one runs before the stack is closed.
  afterAll(async () => {
    await stack.untilAtRest();
    if (options.mayStayOpen === true) expect(await disagreements(stack), 'gateway and ledger').toEqual([]);
    else await stack.expectBooksAgree();
    await stack.expectNoLeaks();
    await expectRunningAgainChangesNothing(stack);
    await expectRepeatedFactsChangeNothing(stack);
    expect(await violationsOf(database.db), 'I1 to I8, at the end').toEqual([]);
  });

  const transactionsOf: Harness['transactionsOf'] = (payment) => {
    const roots = [payment.paymentId, ...payment.captureIds];
    return engine
      .transactions()
      .filter(
        ({ type, referencedId, registrationId }) =>
          (type === 'CD' && registrationId === payment.registrationId) ||
          ((type === 'RF' || type === 'RV') && referencedId !== null && roots.includes(referencedId)),
      );
  };

  const driver = createRefundWorkflow(temporal, stack.start, stack.queues);
  const recordOf = async (refundId: string): Promise<RefundRecord> => {
    const found = await ledger.findRefund(refundId);
    if (found === null) throw new Error(`no refund ${refundId}`);
    return found;
  };

  return {
    ...stack,
    drive: async (refundId) => driver.start(await recordOf(refundId)),
    restart: async (refundId) => driver.restart(await recordOf(refundId)),
    async accept({ paymentId }) {
      const { refund } = await acceptRefund(dependencies, {
        clientId: 'shop',
        idempotencyKey: randomUUID(),
        requestedBy: CLERK,
        request: { paymentId, amount: '60.00', currency: 'EUR', reason: 'order_cancelled' },
      });
      return refund.id;
    },
    ask: (payment, amount, { currency = 'EUR', idempotencyKey = randomUUID(), clientId = 'shop', by } = {}) =>
      (by ?? stack.client).requestRefund({
        clientId,
        idempotencyKey,
        requestedBy: CLERK,
        request: { paymentId: payment.paymentId, amount, currency, reason: 'order_cancelled' },
      }),
    clientWith(timings, policy = {}) {
      const config: RefundConfig = {
        timings: { ...stack.config.timings, ...timings },
        policy: { ...stack.config.policy, ...policy },
      };
      return createRefundsClient({
        temporal,
        dependencies,
        start: { ...stack.start, configFor: () => config },
        queues: stack.queues,
      });
    },
    onRefund(payment, ...effects) {
      for (const id of [payment.paymentId, ...payment.captureIds].slice(-1))
        for (const effect of effects) stack.fault(effect, { paymentType: 'RF', paymentId: id });
    },
    onCredit(payment, ...effects) {
      for (const effect of effects)
        stack.fault(effect, { paymentType: 'CD', registrationId: payment.registrationId });
    },
    booked(payment) {
      const books = engine.books(payment.paymentId, { registrationId: payment.registrationId });
      if (books === null) throw new Error(`the gateway has no payment ${payment.paymentId}`);
      const credited = books.credits
        .filter(({ state }) => state === 'succeeded')
        .reduce((sum, { amount }) => sum + amount, 0n);
      return {
        out: formatAmount(books.refunded + books.reversed + credited),
        refunded: formatAmount(books.refunded),
        reversed: formatAmount(books.reversed),
        credited: formatAmount(credited),
        chargedBack: formatAmount(books.chargedBack),
      };
    },
    transactionsOf,
    ordersUnder: (reference) =>
      gateway
        .requests()
        .filter(
          ({ method, merchantTransactionId }) => method === 'POST' && merchantTransactionId === reference,
        ).length,
    creditOrders: ({ registrationId }) =>
      gateway.requests().filter(({ method, path }) => method === 'POST' && path.includes(registrationId))
        .length,
    async orderElsewhere({ paymentId, registrationId }, fields) {
      const path =
        fields['paymentType'] === 'CD' ? `registrations/${registrationId}/payments` : `payments/${paymentId}`;
      const answer = await fetch(`${gateway.url}/v1/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${stack.env['OPPWA_ACCESS_TOKEN'] ?? ''}` },
        body: new URLSearchParams({ entityId: dependencies.defaultEntityId, ...fields }),
      });
      if (!answer.ok) throw new Error(`the gateway refused it: ${await answer.text()}`);
    },
    async readOriginal({ paymentId }) {
      const { at } = await ledger.paymentBeforeQuery(paymentId);
      const original = await queryOriginal(dependencies, {
        ...{ entityId: dependencies.defaultEntityId, id: paymentId, observedAt: at },
        eachCapture: true,
      });
      if (original.kind !== 'read') throw new Error(`the original is ${original.kind}`);
      await ledger.recordOriginal(paymentId, original.facts);
    },
    async balance({ paymentId }) {
      const payment = await ledger.findPayment(paymentId);
      if (payment === null) throw new Error(`payment ${paymentId} is not in the ledger`);
      return payment;
    },
    async openCases(refundId) {
      const cases = await database.db
        .selectFrom('cases')
        .select('why')
        .where('refund_id', '=', refundId)
        .where('closed_at', 'is', null)
        .orderBy('why')
        .execute();
      return cases.map(({ why }) => why);
    },
    until: (refundId, is) =>
      eventually(`refund ${refundId}: ${String(is)}`, async () => {
        const found = await stack.client.getRefund(refundId);
        return (typeof is === 'string' ? found.state === is : is(found)) ? found : undefined;
      }),
    async untilExecuted(payment) {
      await eventually(`money of ${payment.paymentId} has left`, () =>
        transactionsOf(payment).some(({ executed }) => executed) ? true : undefined,
      );
    },
    run: (refundId) => temporal.workflow.getHandle<typeof refund>(refundWorkflowId(refundId)),
  };
}

async function disagreements({ dependencies, gateway }: Stack): Promise<readonly Disagreement[]> {
  const transactions = gateway.engine.transactions();
  return compareBooks(
    await allRefunds(dependencies.ledger),
    transactions.map((transaction) => ({ ...transaction, amount: formatAmount(transaction.amount) })),
  );
}

const ENDED: readonly RefundState[] = ['succeeded', 'settled', 'closed_by_dispute', 'failed', 'canceled'];

/** I7: runs each final refund again, as after the retention period. The new run finds the ledger's facts and submits nothing. */
async function expectRunningAgainChangesNothing({
  client,
  dependencies,
  gateway,
  temporal,
  queues,
  start,
}: Stack) {
  const ended = (await allRefunds(dependencies.ledger)).filter(({ state }) => ENDED.includes(state));
  const before = gateway.engine.transactions();
  await Promise.all(
    ended.map(async ({ id, entityId, state }) => {
      const input = {
        refundId: id,
        config: start.configFor(entityId),
        queryTaskQueue: start.queryTaskQueue,
      };
      const again = await temporal.workflow.start<typeof refund>('refund', {
        workflowId: refundWorkflowId(id),
        workflowIdConflictPolicy: 'USE_EXISTING',
        taskQueue: queues.refunds,
        args: [input],
      });
      expect(await again.result(), `I7: refund ${id}, run again`).toMatchObject({ state });
      expect(await client.getRefund(id), `I7: refund ${id}, run again`).toMatchObject({ state });
    }),
  );
  expect(gateway.engine.transactions(), 'I7: the gateway after everything was run again').toEqual(before);
}

/** I8: records every success in the ledger again, from an answer, a query and a notification. */
async function expectRepeatedFactsChangeNothing({
  dependencies: { ledger },
  database,
}: Stack): Promise<void> {
  const facts = () => database.db.selectFrom('events').select('natural_key').orderBy('id').execute();
  const before = await facts();
  for (const { id, attempts, state } of await allRefunds(ledger))
    for (const attempt of attempts) {
      const { gatewayId } = attempt;
      if (attempt.state !== 'succeeded' || gatewayId === null || !isGatewayId(gatewayId)) continue;
      const asked = { send: attempt.submissions, at: await ledger.clock() };
      for (const source of [
        { source: 'answer', send: attempt.submissions },
        { source: 'query', asked },
        { source: 'notification' },
      ] as const) {
        const outcome = { kind: 'succeeded', gatewayId, flagged: false } as const;
        const snapshot = await ledger.record({ attemptId: attempt.id, ...source, outcome });
        expect(snapshot, `I8: refund ${id}, recorded again`).toMatchObject({ state });
      }
    }
  expect(await facts(), 'I8: events after every success was recorded again').toEqual(before);
}
