/** Draws refund orders and accepts them. Accepting has no faults here, because the program's duties begin with the accepted refund. */
import {
  acceptCredit,
  acceptRefund,
  PaymentUnreadable,
  RequestRefused,
  type RefundOrder,
} from '../../../activities/refund/accept.js';
import type { DeclaredPaymentInput } from '../../../domain/payment/declared-payment.js';
import { formatAmount, storedMoney } from '../../../domain/money/money.js';
import { LedgerError } from '../../../ledger/ledger.js';
import { GatewayLink } from './gateway-link.js';
import type { Harness } from './harness.js';

export interface RequestedOrder {
  readonly order: RefundOrder;
  /** True for a credit that the client requests directly. */
  readonly isCredit: boolean;
  /** True if a workflow of the client requests the refund and waits for its end. */
  readonly isByWorkflow: boolean;
}

/** Draws the amount, in minor units, of most refunds of a payment: all of it, or one same part. */
export function drawPart({ random, payment: { minor } }: Harness): bigint {
  return random.pick([minor, minor, minor, minor / 2n, minor / 3n, (minor * 6n) / 10n, (minor * 3n) / 10n]);
}

/** Draws an order. `only`: a plain refund of this amount in minor units. */
export function drawOrder(harness: Harness, part: bigint, index: number, only?: bigint): RequestedOrder {
  const { random, payment } = harness;
  const whole = payment.minor;
  const drawn = random.chance(0.7) ? part : random.pick([whole, whole / 4n, whole / 2n]);
  const minor = only ?? drawn;
  // A credit that the client requests directly, sometimes linked to no payment.
  const isCredit = random.chance(0.08) && only === undefined;
  const isUnlinkedCredit = isCredit && random.chance(0.4);
  const isElsewhere = random.chance(0.12) && only === undefined;
  const registrationId = isElsewhere ? harness.otherRegistrationId : payment.created.registrationId;
  const paymentId = random.pick([payment.id, payment.id, ...payment.created.captureIds]);
  const order = {
    clientId: 'shop',
    // Sometimes two orders have the same idempotency key.
    idempotencyKey: random.chance(0.1) ? 'key-0' : `key-${index}`,
    requestedBy: 'asker',
    request: {
      ...(isUnlinkedCredit ? {} : { paymentId }),
      ...(!isCredit && only === undefined && random.chance(0.15)
        ? { payment: declaredOf(harness, paymentId) }
        : {}),
      amount: formatAmount(storedMoney(payment.roundDown(minor), payment.currency)),
      currency: payment.currency,
      reason: 'requested_by_customer',
      ...(isCredit || isElsewhere ? { destination: { registrationId } } : {}),
    },
  };
  return { order, isCredit, isByWorkflow: !isCredit && random.chance(0.2) };
}

/** Returns the payment as the client declares it: captured or authorized under this id. */
function declaredOf({ gateway, payment }: Harness, paymentId: string): DeclaredPaymentInput {
  const { amount } = gateway.transactions().find(({ id }) => id === paymentId) ?? { amount: 0n };
  return {
    type: payment.created.captureIds.includes(paymentId) ? 'CP' : payment.type,
    amount: formatAmount(storedMoney(payment.toMinor(amount), payment.currency)),
    currency: payment.currency,
  };
}

/** Result of an acceptance: a refund, or the reason why there is none. */
export type Acceptance = { readonly refundId: string } | { readonly refused: string };

export async function accept(harness: Harness, { order, isCredit }: RequestedOrder): Promise<Acceptance> {
  const gateway = new GatewayLink(harness, harness.outsider('client'), true);
  const ask = isCredit ? acceptCredit : acceptRefund;
  try {
    const { refund } = await ask(harness.dependencies({ ledger: harness.ledger, gateway }), order);
    if (harness.trace.isKept)
      harness.trace.note(
        'client',
        `accepted ${refund.id.slice(-6)}: ${refund.amountMinor} minor units of ${refund.currency}${isCredit ? ' as a credit' : ''}`,
      );
    return { refundId: refund.id };
  } catch (error) {
    harness.trace.note('client', `refused: ${String(error)}`);
    if (error instanceof LedgerError) return { refused: error.code };
    if (error instanceof RequestRefused) return { refused: 'invalid_request' };
    if (error instanceof PaymentUnreadable) return { refused: 'payment_unreadable' };
    harness.fail(error);
    return { refused: 'unavailable' };
  }
}
