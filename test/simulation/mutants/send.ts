/** Defects of the submission: the only place from which money leaves. */
import { readResult } from '../../../gateway/oppwa/read-code.js';
import { referenceFor } from '../../../domain/refund/reference.js';
import type { Gateway, SendLimits } from '../../../gateway/gateway.js';
import type { Mutant } from '../harness/harness.js';

type Linked = Parameters<Gateway['refund']>[0];

export const SEND_MUTANTS: readonly Mutant[] = [
  {
    name: 'send-before-persisting',
    defect: 'the order is sent before it is stored',
    activities: (activities, { gateway, ledger, now }) => ({
      ...activities,
      submitRefund: async (task) => {
        const refund = await ledger.findRefund(task.refundId);
        if (refund !== null && refund.attempts.length === 0 && refund.state === 'reserved') {
          const { answerWithin, sendWindow } = task.config.timings;
          await gateway
            .refund({
              entityId: refund.entityId,
              merchantTransactionId: referenceFor(refund.id, 'refund', 1),
              limits: { openedAt: now(), sendWindow, answerWithin },
              paymentId: refund.paymentId,
              amount: '1.00',
              currency: refund.currency,
            })
            .catch(() => undefined);
        }
        return activities.submitRefund(task);
      },
    }),
  },
  {
    name: 'timeout-is-failure',
    defect: 'no answer in time counts as a decline',
    ledger: (ledger) => ({
      ...ledger,
      record: (evidence) =>
        ledger.record(
          evidence.outcome.kind === 'unknown'
            ? { ...evidence, outcome: { kind: 'rejected', class: 'not_owed' } }
            : evidence,
        ),
    }),
  },
  {
    name: 'pending-is-success',
    defect: 'accepted counts as done',
    ledger: (ledger) => ({
      ...ledger,
      record: (evidence) => {
        const { outcome } = evidence;
        return ledger.record(
          outcome.kind === 'pending'
            ? { ...evidence, outcome: { kind: 'succeeded', gatewayId: outcome.gatewayId, flagged: false } }
            : evidence,
        );
      },
    }),
  },
  {
    name: 'success-by-pattern',
    defect: 'every code of the gateway’s success group counts as done',
    gateway: (gateway) => ({
      ...methods(gateway),
      refund: async (order) => {
        const result = await gateway.refund(order);
        if (
          result.kind !== 'answered' ||
          !/^(000\.000\.|000\.100\.1|000\.[346])/.test(result.transaction.result.code)
        )
          return result;
        const { transaction } = result;
        return {
          ...result,
          transaction: {
            ...transaction,
            id: transaction.id ?? 'f'.repeat(32),
            type: 'refund',
            result: readResult({ code: '000.100.110', description: '' }, 'test'),
          },
        };
      },
    }),
  },
  {
    name: 'no-send-by-deadline',
    defect: 'a process that was frozen sends after its deadline all the same',
    gateway: (gateway) => ({
      ...methods(gateway),
      refund: (order) => gateway.refund({ ...order, limits: { ...order.limits, sendWindow: Infinity } }),
      creditRegistration: (order) =>
        gateway.creditRegistration({ ...order, limits: { ...order.limits, sendWindow: Infinity } }),
    }),
  },
  {
    name: 'suspended-machine-sends',
    defect:
      'the send window counts on the monotonic clock alone, which stands still while the machine is suspended',
    gateway: (gateway, { scheduler }) => {
      const trusting = <T extends { readonly limits: SendLimits }>(order: T): T => {
        const { monotonic } = order.limits.openedAt;
        const openedAt = {
          monotonic,
          get wall() {
            return scheduler.now;
          },
        };
        return { ...order, limits: { ...order.limits, openedAt } };
      };
      return {
        ...methods(gateway),
        refund: (order) => gateway.refund(trusting(order)),
        creditRegistration: (order) => gateway.creditRegistration(trusting(order)),
      };
    },
  },
  {
    name: 'new-reference-on-resend',
    defect: 'a repeated submission gets another reference',
    gateway: (gateway, { random }) => ({
      ...methods(gateway),
      refund: (order: Linked) =>
        gateway.refund({ ...order, merchantTransactionId: random.hex(16).toUpperCase() }),
    }),
  },
  {
    name: 'client-retries',
    defect: 'the client repeats the request when no answer comes',
    gateway: (gateway) => ({
      ...methods(gateway),
      refund: async (order) => {
        const first = await gateway.refund(order);
        return first.kind === 'no_answer' ? gateway.refund(order) : first;
      },
    }),
  },
  {
    name: 'wrong-units',
    defect: 'the amount is sent a hundred times too small',
    gateway: (gateway) => ({
      ...methods(gateway),
      refund: (order) => gateway.refund({ ...order, amount: (Number(order.amount) / 100).toFixed(2) }),
    }),
  },
  {
    name: 'connection-lost-is-not-sent',
    defect: 'a connection that breaks is taken to have carried nothing',
    gateway: (gateway) => ({
      ...methods(gateway),
      refund: async (order) => {
        const result = await gateway.refund(order);
        return result.kind === 'no_answer' ? { kind: 'not_sent', why: 'closed' } : result;
      },
    }),
  },
];

/** Returns an object with the gateway's methods: a spread does not copy the methods of a class. */
export function methods(gateway: Gateway): Gateway {
  return {
    refund: (order) => gateway.refund(order),
    reverse: (order) => gateway.reverse(order),
    creditRegistration: (order) => gateway.creditRegistration(order),
    creditCard: (order) => gateway.creditCard(order),
    registerCard: (order) => gateway.registerCard(order),
    removeRegistration: (entityId, registrationId, limits) =>
      gateway.removeRegistration(entityId, registrationId, limits),
    findByReference: (entityId, reference) => gateway.findByReference(entityId, reference),
    findWithLinked: (entityId, id) => gateway.findWithLinked(entityId, id),
    findById: (entityId, id) => gateway.findById(entityId, id),
    resultCodes: (entityId) => gateway.resultCodes(entityId),
    interpret: (entityId, recorded) => gateway.interpret(entityId, recorded),
    close: () => gateway.close(),
  };
}
