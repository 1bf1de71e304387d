/** Orders, answers and gateways that the tests of this folder share. */
import { Secret } from '../../domain/secret.js';
import type { CardCreditOrder, Gateway, RefundOrder, SendLimits } from '../../gateway/gateway.js';
import { machineClock } from '../../gateway/http/clock.js';
import { createGateway } from '../../gateway/oppwa/oppwa.js';
import { transactionOf, type OppwaTransaction } from '../../gateway/oppwa/transaction.js';
import type { GatewayOptions } from '../../gateway/settings.js';

export const ENTITY = '8ac7a4c890fc748b0190fe6ad56b0241';
export const PAYMENT = '8ac7a4a289d210fc0189d5b4e9572cc8';
export const TOKEN = 'OGFjN2E0Yzg5MGZjNzQ4YjAxOTBmZTZhZDU2YjAyNDF8c2VjcmV0';
export const CARD_NUMBER = '4200000000000000';

export function gatewayAt(
  baseUrl: string,
  more: Partial<GatewayOptions> & { testMode?: 'EXTERNAL' } = {},
): Gateway {
  const { testMode, ...options } = more;
  return createGateway({
    entities: [{ id: ENTITY, baseUrl, accessToken: new Secret(TOKEN), testMode, hostKind: 'test' }],
    ...options,
  });
}

export function limits(answerWithin = 5_000, sendWithin = 5_000): SendLimits {
  // A longer window may be longer than the age of the process.
  const sendWindow = Math.max(sendWithin, 0);
  const { monotonic, wall } = machineClock();
  const before = sendWindow - sendWithin;
  return { openedAt: { monotonic: monotonic - before, wall: wall - before }, sendWindow, answerWithin };
}

export function refundOrder(more: Partial<RefundOrder> = {}): RefundOrder {
  return {
    entityId: ENTITY,
    paymentId: PAYMENT,
    merchantTransactionId: 'Rf00000000000001',
    amount: '92.00',
    currency: 'EUR',
    limits: limits(),
    ...more,
  };
}

/** Order of the vendor's published sample of a credit to a card. */
export function cardCreditOrder(more: Partial<CardCreditOrder> = {}): CardCreditOrder {
  return {
    entityId: ENTITY,
    merchantTransactionId: 'P175',
    amount: '100.00',
    currency: 'EUR',
    paymentBrand: 'VISA',
    card: {
      number: CARD_NUMBER,
      holder: 'John Smith',
      expiryMonth: '02',
      expiryYear: '2027',
      cvv: '123',
    },
    limits: limits(),
    ...more,
  };
}

/** The transaction in the domain's terms, as the port returns it. */
export const shown = (transaction: OppwaTransaction) => transactionOf(transaction, 'test');

/** A successful refund in the gateway's own fields. */
export const refunded = {
  id: '8ac7a4a1886fbf6c018871e528a731de',
  referencedId: PAYMENT,
  paymentType: 'RF',
  amount: '92.00',
  currency: 'EUR',
  merchantTransactionId: 'Rf00000000000001',
  result: {
    code: '000.100.110',
    description: "Request successfully processed in 'Merchant in Integrator Test Mode'",
  },
};
