/** What the tests of what persons do share: refunds that came to rest, and who speaks about them. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll } from 'vitest';
import type { Refund } from '../../client/index.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { problemOf, refundOf, startApi, type Answer, type ApiHarness } from './world.js';

export const WHY = { reason: 'the customer called', ticket: 'PAY-12' };
export const NEVER_PAID = { ...WHY, outcome: 'failed', evidence: "acquirer's letter of 4 November" };

export type Verb = 'link' | 'correct' | 'change-destination' | 'replay' | 'approve' | 'reject';
export const reported = (answer: Answer) => ({ status: answer.status, code: problemOf(answer).code });
export const refused = (status: number, code: string) => ({ status, code });

/** Said again until the attempt can no longer be on its way. */
export async function inTime(speak: () => Promise<Answer>): Promise<Answer> {
  const [answer] = await inTimeAll(async () => [await speak()]);
  if (answer === undefined) throw new Error('nobody spoke');
  return answer;
}

export async function inTimeAll(speak: () => Promise<Answer[]>): Promise<Answer[]> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const answers = await speak();
    const isEarly = answers.some((one) => one.status === 409 && problemOf(one).code === 'too_early');
    if (!isEarly || performance.now() > deadline) return answers;
    await pause(50);
  }
}

export interface OperatorsHarness extends ApiHarness {
  /** May operate and approve. */
  readonly anna: string;
  /** May operate. */
  readonly berta: string;
  /** May approve. */
  readonly boss: string;
  command(key: string, verb: Verb, id: string, body: unknown): Promise<Answer>;
  /** A refund of 40.00 that has come to this state. */
  asked(payment: CreatedPayment, state: Refund['state']): Promise<string>;
  until(id: string, state: Refund['state']): Promise<Refund>;
  paid(): Promise<string>;
  /** It never arrived, and nobody can tell by the gateway: a refund without a reference hangs beside it. */
  lostBeside(): Promise<{ id: string; payment: CreatedPayment; gatewayId: string }>;
  /** Its outcome is open, and a person is asked. */
  pendingTooLong(): Promise<string>;
  /** The card is closed: only a person can say where the money is to go. */
  cardClosed(): Promise<{ id: string; payment: CreatedPayment }>;
  anotherCard(): string;
}

/** Call it while the file is read. An attempt stays open for as long as a test looks at it; the lag after which a person may speak is short. */
export async function startOperators(how: { readonly booksAgree?: boolean } = {}): Promise<OperatorsHarness> {
  const harness = await startApi({
    timings: { sendWindow: 2_000, visibilityLag: 100, notFoundSpacing: 60_000, caseAfterPending: 300 },
  });
  afterAll(() => harness.close(how));
  const { ask, call, newKey, stack } = harness;

  const until: OperatorsHarness['until'] = async (id, state) => {
    for await (const refund of stack.client.watch(id, { signal: AbortSignal.timeout(30_000) }))
      if (refund.state === state) return refund;
    throw new Error('unreachable');
  };
  const asked: OperatorsHarness['asked'] = async ({ paymentId }, state) => {
    const { id } = refundOf(await ask(paymentId));
    await until(id, state);
    return id;
  };

  return {
    ...harness,
    anna: await newKey('anna', 'operate', 'approve'),
    berta: await newKey('berta', 'operate'),
    boss: await newKey('boss', 'approve'),
    command: (key, verb, id, body) => call('POST', `/v1/refunds/${id}/${verb}`, { key, body }),
    until,
    asked,
    paid: () => asked(stack.newPayment(), 'succeeded'),
    async lostBeside() {
      const payment = stack.newPayment();
      stack.fault({ kind: 'drop_before_execute' }, { paymentId: payment.paymentId });
      const id = await asked(payment, 'unknown');
      const portal = stack.gateway.engine.refundInPortal({ paymentId: payment.paymentId, amount: 40_00n });
      return { id, payment, gatewayId: portal.id };
    },
    async pendingTooLong() {
      const payment = stack.newPayment();
      stack.fault({ kind: 'pending' }, { paymentId: payment.paymentId });
      return asked(payment, 'manual_review');
    },
    async cardClosed() {
      const payment = stack.newPayment();
      stack.fault({ kind: 'reject', code: '800.100.171' }, { paymentId: payment.paymentId });
      return { id: await asked(payment, 'manual_review'), payment };
    },
    anotherCard: () => stack.newPayment().registrationId,
  };
}
