/** A gateway simulator in memory with a clock that the test moves, and short functions to call it. */
import type { FaultEffect } from '../../sandbox/gateway/faults.js';
import { SimulatedGateway, type SimulatedGatewayOptions } from '../../sandbox/gateway/simulated-gateway.js';
import { route } from '../../sandbox/gateway/routes.js';
import type { AnswerBody, Delivery } from '../../sandbox/gateway/types.js';

export const ENTITY = { id: '8ac7a4c9'.padEnd(32, '1'), token: 'token-one', name: 'shop' };
export const OTHER_ENTITY = { id: '8ac7a4c9'.padEnd(32, '2'), token: 'token-two' };
export const CARD = {
  paymentBrand: 'VISA',
  'card.number': '4200000000000000',
  'card.holder': 'Jane Jones',
  'card.expiryMonth': '05',
  'card.expiryYear': '2034',
};
export const UNKNOWN_ID = '8ac7a4a0'.padEnd(32, '0');

export interface Harness {
  readonly gateway: SimulatedGateway;
  /** Moves the clock. */
  wait(ms: number): void;
  /** Calls as the first entity, unless `as` is given. Adds `entityId`. */
  post(path: string, fields: Readonly<Record<string, string>>, as?: Identity): Delivery;
  delete(path: string): Delivery;
  get(path: string, fields?: Readonly<Record<string, string>>, as?: Identity): Delivery;
}

interface Identity {
  readonly id: string;
  readonly token: string | null;
}

export function openHarness(options: Partial<SimulatedGatewayOptions> = {}): Harness {
  let now = Date.UTC(2026, 8, 1, 12);
  const gateway = new SimulatedGateway({ entities: [ENTITY, OTHER_ENTITY], clock: () => now, ...options });
  const ask = (
    method: string,
    path: string,
    fields: Readonly<Record<string, string>>,
    as: Identity,
  ): Delivery => {
    const to = route(method, path);
    const authorization = as.token === null ? null : `Bearer ${as.token}`;
    const parameters = new Map(Object.entries({ entityId: as.id, ...fields }));
    if (to.kind === 'write') return gateway.execute({ endpoint: to.endpoint, authorization, parameters });
    if (to.kind === 'query') return gateway.query({ endpoint: to.endpoint, authorization, parameters });
    throw new Error(`${method} ${path} is not an endpoint.`);
  };
  return {
    gateway,
    wait: (ms) => {
      now += ms;
    },
    post: (path, fields, as = ENTITY) => ask('POST', path, fields, as),
    delete: (path) => ask('DELETE', path, {}, ENTITY),
    get: (path, fields = {}, as = ENTITY) => ask('GET', path, fields, as),
  };
}

/** Returns the JSON body; throws if the gateway did not answer with JSON. */
export function bodyOf(delivery: Delivery): AnswerBody {
  if (delivery.kind !== 'answer') throw new Error(`Expected an answer, got ${JSON.stringify(delivery)}.`);
  return delivery.body;
}

/** Returns HTTP status and result code, for example `400 700.400.200`; without an answer, the kind of the delivery. */
export function verdict(delivery: Delivery): string {
  if (delivery.kind === 'dropped') return 'dropped';
  if (delivery.kind === 'raw') return `raw ${delivery.httpStatus}`;
  return `${delivery.httpStatus} ${delivery.body.result?.code ?? 'no result'}`;
}

export function debit(harness: Harness, amount = 100_00n, currency = 'EUR'): string {
  return harness.gateway.createPayment({ type: 'DB', amount, currency }).paymentId;
}

export function refund(
  harness: Harness,
  paymentId: string,
  amount: string,
  more: Readonly<Record<string, string>> = {},
): Delivery {
  return harness.post(`/v1/payments/${paymentId}`, { paymentType: 'RF', amount, currency: 'EUR', ...more });
}

export function creditByCard(
  harness: Harness,
  amount: string,
  more: Readonly<Record<string, string>> = {},
): Delivery {
  return harness.post('/v1/payments', { paymentType: 'CD', amount, currency: 'EUR', ...CARD, ...more });
}

/** Returns the id of the transaction in the answer. */
export function idOf(delivery: Delivery): string {
  const { id } = bodyOf(delivery);
  if (id === undefined) throw new Error(`No id in ${JSON.stringify(delivery)}.`);
  return id;
}

/** The reference of the refunds under test. */
export const RF = { merchantTransactionId: 'RF1' };
/** Returns the transactions that a query by that reference shows. */
export const seen = (harness: Harness): string => verdict(harness.get('/v3/query', RF));
export const refundedOf = (harness: Harness, id: string): bigint | undefined =>
  harness.gateway.books(id)?.refunded;

/** Creates a debit and a refund of 40.00 on it, which the gateway handles with this fault. */
export function refundUnder(effect: FaultEffect): {
  harness: Harness;
  id: string;
  answer: ReturnType<typeof refund>;
} {
  const harness = openHarness();
  const id = debit(harness);
  harness.gateway.setFault({ match: { paymentType: 'RF' }, effect });
  return { harness, id, answer: refund(harness, id, '40.00', RF) };
}
