/** Harness of the operator command tests: operators with keys, and refunds in the states that the commands apply to. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll } from 'vitest';
import type { Refund } from '../../client/index.js';
import type { CreatedPayment } from '../../sandbox/gateway/controls.js';
import { problemOf, refundOf, startApi, type Answer, type ApiHarness } from './harness.js';

export const WHY = { reason: 'the customer called', ticket: 'PAY-12' };
export const NEVER_PAID = { ...WHY, outcome: 'failed', evidence: "acquirer's letter of 4 November" };

export type Verb = 'link' | 'correct' | 'change-destination' | 'replay' | 'approve' | 'reject';
export const reported = (answer: Answer) => ({ status: answer.status, code: problemOf(answer).code });
export const refused = (status: number, code: string) => ({ status, code });

/** Repeats a command until it is not refused as `too_early`: the attempt's request may be in transit before. */
export async function inTime(send: () => Promise<Answer>): Promise<Answer> {
  const [answer] = await inTimeAll(async () => [await send()]);
  if (answer === undefined) throw new Error('no command was sent');
  return answer;
}

/** Repeats the commands until none of them is refused as `too_early`. */
export async function inTimeAll(send: () => Promise<Answer[]>): Promise<Answer[]> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const answers = await send();
    const isEarly = answers.some((one) => one.status === 409 && problemOf(one).code === 'too_early');
    if (!isEarly || performance.now() > deadline) return answers;
    await pause(50);
  }
}

export interface OperatorsHarness extends ApiHarness {
  /** Key with the roles `operate` and `approve`. */
  readonly anna: string;
  /** Key with the role `operate`. */
  readonly berta: string;
  /** Key with the role `approve`. */
  readonly boss: string;
  command(key: string, verb: Verb, id: string, body: unknown): Promise<Answer>;
  /** Creates a refund of 40.00 and waits until it is in this state. */
  asked(payment: CreatedPayment, state: Refund['state']): Promise<string>;
  until(id: string, state: Refund['state']): Promise<Refund>;
  paid(): Promise<string>;
  /** Creates a refund whose request never arrived, beside a portal refund without a reference, so that its outcome stays unknown. */
  lostBeside(): Promise<{ id: string; payment: CreatedPayment; gatewayId: string }>;
  /** Creates a refund that is pending for too long and therefore in review. */
  pendingTooLong(): Promise<string>;
  /** Creates a refund that is in review because the card is closed. */
  cardClosed(): Promise<{ id: string; payment: CreatedPayment }>;
  anotherCard(): string;
}

/** Starts the harness. Call it at the top level of a test file. Attempts stay open during a test; the lag before commands are allowed is short. */
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
