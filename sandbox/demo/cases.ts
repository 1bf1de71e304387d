/** The cases of the demonstration, as data: the setup at the gateway, the requests, and the expected end of each. */
import type { FaultRule } from '../gateway/faults.js';
import type { GatewayControl, SandboxPayment } from '../control-client.js';

/** The expected end of one request: a refund in this state by this operation, or a refusal before anything was stored. */
export type Ending =
  | {
      readonly state: string;
      /** Absent: not checked, because the refund may have been submitted by then or not. */
      readonly operation?: 'refund' | 'credit' | 'reversal' | null;
      readonly why?: RegExp;
    }
  | { readonly refused: string };

export interface Case {
  readonly name: string;
  readonly payment: {
    readonly type: 'DB' | 'PA';
    readonly amount: string;
    readonly captures?: readonly string[];
  };
  /** An amount refunded without a fault first, so that the ledger has the payment before the fault. */
  readonly before?: string;
  readonly arrange?: (gateway: GatewayControl, payment: SandboxPayment) => Promise<void>;
  /** The requested amounts: one after the other, or with `atOnce` concurrently. */
  readonly amounts: readonly string[];
  readonly atOnce?: boolean;
  /** Requests a credit: to the payment's registration, against the payment or unlinked; or to a sealed card, unlinked. */
  readonly credit?: 'on_payment' | 'unlinked' | 'to_card';
  /** The decision of the approver where an approval is needed. */
  readonly approval?: 'approve' | 'reject';
  readonly endings: readonly Ending[];
}

/** The card of the vendor's sample of a credit. It expires in the February of next year. */
export const sampleCard = () => ({
  number: '4200000000000000',
  holder: 'John Smith',
  expiryMonth: '02',
  expiryYear: String(new Date().getUTCFullYear() + 1),
  brand: 'VISA',
  cvv: '123',
});
export type SampleCard = ReturnType<typeof sampleCard>;

const fault =
  (paymentType: 'RF' | 'RV' | 'CD', ...effects: readonly FaultRule['effect'][]) =>
  async (gateway: GatewayControl, payment: SandboxPayment): Promise<void> => {
    for (const effect of effects) {
      const match =
        paymentType === 'CD' ? { registrationId: payment.registrationId } : { paymentId: payment.paymentId };
      await gateway.setFault({ match: { paymentType, ...match }, effect });
    }
  };

/** Sets a fault for the gateway's notifications of a refund. */
const notifications = (how: 'lost' | 'duplicate' | 'delay' | 'out_of_order', ms = 0) =>
  fault('RF', { kind: 'webhook', how, ms });

const reject = (code: string): FaultRule['effect'] => ({ kind: 'reject', code });
const NOT_LINKABLE = reject('700.500.001');
const DEBIT = { type: 'DB', amount: '100.00' } as const;
const both =
  (...steps: readonly ReturnType<typeof fault>[]) =>
  async (gateway: GatewayControl, payment: SandboxPayment): Promise<void> => {
    for (const step of steps) await step(gateway, payment);
  };

export const CASES: readonly Case[] = [
  {
    name: 'accepted at once',
    payment: DEBIT,
    amounts: ['100.00'],
    endings: [{ state: 'succeeded', operation: 'refund' }],
  },
  {
    name: 'two equal parts',
    payment: DEBIT,
    amounts: ['30.00', '30.00'],
    endings: [
      { state: 'succeeded', operation: 'refund' },
      { state: 'succeeded', operation: 'refund' },
    ],
  },
  {
    name: 'two captures of one authorization',
    payment: { type: 'PA', amount: '100.00', captures: ['60.00', '40.00'] },
    amounts: ['80.00'],
    endings: [{ state: 'succeeded', operation: 'refund' }],
  },
  {
    name: 'only authorized: reversed',
    payment: { type: 'PA', amount: '75.00' },
    amounts: ['75.00'],
    endings: [{ state: 'succeeded', operation: 'reversal' }],
  },
  {
    name: 'pending, then accepted',
    payment: DEBIT,
    arrange: fault('RF', { kind: 'pending', afterMs: 1_500 }),
    amounts: ['100.00'],
    endings: [{ state: 'succeeded', operation: 'refund' }],
  },
  {
    name: 'pending, notifications out of order',
    payment: DEBIT,
    arrange: both(notifications('out_of_order'), fault('RF', { kind: 'pending', afterMs: 1_500 })),
    amounts: ['100.00'],
    endings: [{ state: 'succeeded', operation: 'refund' }],
  },
  {
    name: 'pending, notifications duplicated',
    payment: DEBIT,
    arrange: both(
      notifications('duplicate', 200),
      notifications('duplicate', 200),
      fault('RF', { kind: 'pending', afterMs: 1_500 }),
    ),
    amounts: ['100.00'],
    endings: [{ state: 'succeeded', operation: 'refund' }],
  },
  {
    name: 'answer lost, notification late',
    payment: DEBIT,
    arrange: both(notifications('delay', 2_000), fault('RF', { kind: 'accept_then_drop' })),
    amounts: ['100.00'],
    endings: [{ state: 'succeeded', operation: 'refund' }],
  },
  {
    name: 'answer lost, executed',
    payment: DEBIT,
    arrange: fault('RF', { kind: 'accept_then_drop' }),
    amounts: ['100.00'],
    endings: [{ state: 'succeeded', operation: 'refund' }],
  },
  {
    name: 'answer lost, not executed',
    payment: DEBIT,
    arrange: fault('RF', { kind: 'drop_before_execute' }),
    amounts: ['100.00'],
    endings: [{ state: 'succeeded', operation: 'refund' }],
  },
  {
    name: 'garbled answer, executed',
    payment: DEBIT,
    arrange: fault('RF', { kind: 'broken_body', form: 'truncated' }),
    amounts: ['100.00'],
    endings: [{ state: 'succeeded', operation: 'refund' }],
  },
  {
    name: 'soft decline, submitted again',
    payment: DEBIT,
    arrange: fault('RF', reject('900.100.600')),
    amounts: ['100.00'],
    endings: [{ state: 'succeeded', operation: 'refund' }],
  },
  {
    name: 'cannot be linked: credit',
    payment: DEBIT,
    arrange: fault('RF', NOT_LINKABLE),
    amounts: ['100.00'],
    endings: [{ state: 'succeeded', operation: 'credit' }],
  },
  {
    name: 'credit above the limit, approved',
    payment: { type: 'DB', amount: '800.00' },
    arrange: fault('RF', NOT_LINKABLE),
    amounts: ['800.00'],
    approval: 'approve',
    endings: [{ state: 'succeeded', operation: 'credit' }],
  },
  {
    name: 'credit above the limit, refused',
    payment: { type: 'DB', amount: '800.00' },
    arrange: fault('RF', NOT_LINKABLE),
    amounts: ['800.00'],
    approval: 'reject',
    endings: [{ state: 'failed', operation: 'refund', why: /approval_refused/ }],
  },
  {
    name: 'credit asked for directly',
    payment: DEBIT,
    amounts: ['40.00'],
    credit: 'on_payment',
    endings: [{ state: 'succeeded', operation: 'credit' }],
  },
  {
    name: 'unlinked credit, approved',
    payment: DEBIT,
    amounts: ['5.00'],
    credit: 'unlinked',
    approval: 'approve',
    endings: [{ state: 'succeeded', operation: 'credit' }],
  },
  {
    name: 'credit to a card, approved',
    payment: DEBIT,
    amounts: ['100.00'],
    credit: 'to_card',
    approval: 'approve',
    endings: [{ state: 'succeeded', operation: 'credit' }],
  },
  {
    name: 'credit rejected: compensated',
    payment: DEBIT,
    arrange: both(fault('RF', NOT_LINKABLE), fault('CD', reject('800.100.152'))),
    amounts: ['100.00'],
    endings: [{ state: 'failed', operation: 'credit', why: /credit_declined/ }],
  },
  {
    name: 'credit, answer lost, executed',
    payment: DEBIT,
    arrange: both(fault('RF', NOT_LINKABLE), fault('CD', { kind: 'accept_then_drop' })),
    amounts: ['100.00'],
    endings: [{ state: 'succeeded', operation: 'credit' }],
  },
  {
    name: '700.300.300: no credit, an operator decides',
    payment: DEBIT,
    arrange: fault('RF', reject('700.300.300')),
    amounts: ['100.00'],
    endings: [{ state: 'manual_review', operation: 'refund', why: /decline_unclear/ }],
  },
  {
    name: '700.400.200, refunded in the portal: no credit',
    payment: DEBIT,
    before: '10.00',
    arrange: (gateway, { paymentId }) => gateway.portalRefund(paymentId, '90.00'),
    amounts: ['90.00'],
    endings: [{ state: 'refunded_elsewhere', operation: 'refund', why: /already_refunded/ }],
  },
  {
    name: 'chargeback before the refund: no credit',
    payment: DEBIT,
    before: '10.00',
    arrange: (gateway, { paymentId }) => gateway.chargeback(paymentId),
    amounts: ['90.00'],
    // The notification of the chargeback may be faster than the refund.
    endings: [{ state: 'closed_by_dispute' }],
  },
  {
    name: 'chargeback before the credit: no credit',
    payment: DEBIT,
    arrange: both(fault('RF', NOT_LINKABLE), fault('RF', { kind: 'chargeback_after_rejection' })),
    amounts: ['100.00'],
    endings: [{ state: 'closed_by_dispute', operation: 'refund' }],
  },
  {
    name: 'declined twice by the issuer',
    payment: DEBIT,
    arrange: both(fault('RF', reject('800.100.152')), fault('RF', reject('800.100.152'))),
    amounts: ['100.00'],
    approval: 'reject',
    endings: [{ state: 'failed', operation: 'refund', why: /approval_refused/ }],
  },
  {
    name: 'over the balance',
    payment: DEBIT,
    before: '60.00',
    amounts: ['60.00'],
    endings: [{ refused: 'exceeds_refundable' }],
  },
  {
    name: 'two race for the same money',
    payment: DEBIT,
    amounts: ['60.00', '60.00'],
    atOnce: true,
    endings: [{ state: 'succeeded', operation: 'refund' }, { refused: 'exceeds_refundable' }],
  },
];
