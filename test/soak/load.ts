/** The load of a soak run: intents of many kinds, asked for over HTTP and through the typed client, each on a payment of its own. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { RefundsError, type Refund, type RefundOrder, type RefundsClient } from '../../client/index.js';
import type { CreatedPayment } from '../../sandbox/gateway/commands.js';
import type { SimulatedGateway } from '../../sandbox/gateway/rules.js';
import { Random } from '../simulation/world/random.js';
import { CLERK, HttpRefusal, NoAnswer, OPERATOR, type Desk, type Http, type Sent } from './http.js';
import { CURRENCIES, textOf, whole, type Currency } from './money.js';
import { moodsFor } from './moods.js';
import { add, type Notes } from './notes.js';

export interface LoadOptions {
  readonly client: RefundsClient;
  readonly http: Http;
  readonly gateway: SimulatedGateway;
  readonly random: Random;
  readonly notes: Notes;
  /** New intents in a second, at most. */
  readonly rate: number;
  /** How many refunds are still to be sent: a slow machine is not asked for more than it can do. */
  readonly backlog: () => number;
  readonly over: AbortSignal;
}

const MOST_AT_ONCE = 40;
const MOST_BACKLOG = 50;

/** Runs until `over`, and then until what it had begun has been answered. */
export async function runLoad(options: LoadOptions): Promise<void> {
  const { random, rate, over } = options;
  const running = new Set<Promise<void>>();
  while (!over.aborted) {
    if (running.size < MOST_AT_ONCE && options.backlog() < MOST_BACKLOG) {
      // Every intent has a chance of its own, so that one that is slow does not change the others.
      const intent = carryOut(options, random.between(0, 2 ** 31)).finally(() => running.delete(intent));
      running.add(intent);
    }
    await sleep(random.spread(200 / rate, 2_500 / rate));
  }
  await Promise.all(running);
}

interface World extends Omit<LoadOptions, 'random'> {
  readonly random: Random;
  readonly currency: Currency;
  readonly payment: CreatedPayment;
  /** What can be given back at all, in hundredths. */
  readonly total: bigint;
  /** How it is asked for; both are the same caller. */
  readonly way: 'http' | 'client';
}

type Intent = (world: World) => Promise<void>;

async function carryOut(options: LoadOptions, seed: number): Promise<void> {
  const random = new Random(seed);
  const { kind, intent } = random.pick(INTENTS);
  const currency = random.pick(CURRENCIES);
  const total = whole(BigInt(random.spread(300, 90_000)), currency);
  const captures = kind === 'captures' ? captured(random, total, currency) : [];
  const payment = options.gateway.createPayment({
    type: kind === 'debit' || kind === 'credit' ? 'DB' : 'PA',
    amount: total,
    currency,
    ...(kind === 'captures' ? { captures } : {}),
  });
  if (kind === 'credit' || random.chance(0.6))
    for (const rule of moodsFor(random, payment, kind === 'credit')) {
      options.gateway.setFault(rule);
      add(options.notes.rules, rule.effect.kind);
    }
  const given = kind === 'captures' ? captures.reduce((sum, amount) => sum + amount, 0n) : total;
  const way = random.pick(['http', 'client'] as const);
  await intent({ ...options, random, currency, payment, total: given, way });
}

/** One to three captures, together at most what was authorised. */
function captured(random: Random, total: bigint, currency: Currency): bigint[] {
  const count = random.between(1, 3);
  const share = whole((total * BigInt(random.between(50, 100))) / 100n / BigInt(count), currency);
  return Array.from({ length: count }, () => share).filter((amount) => amount > 0n);
}

const full: Intent = async (world) => {
  await ask(world, orderOf(world, world.total));
};

/** Equal parts, one after the other or all at once: each is a refund of its own. */
const parts: Intent = async (world) => {
  const { random, total, currency } = world;
  const count = random.between(2, 4);
  const part = whole(total / BigInt(count), currency);
  if (part === 0n) return full(world);
  const orders = Array.from({ length: count }, () => orderOf(world, part));
  if (random.chance(0.4)) await Promise.all(orders.map((order) => ask(world, order)));
  else
    for (const order of orders) {
      const refund = await ask(world, order);
      if (refund !== undefined && random.chance(0.3))
        await world.client.waitFor(refund.id, 2_000).catch(() => undefined);
    }
};

/** More than there is, in two or three requests at once. */
const race: Intent = async (world) => {
  const { random, total, currency } = world;
  const share = whole((total * BigInt(random.pick([60, 75, 100]))) / 100n, currency);
  const orders = Array.from({ length: random.between(2, 3) }, () => orderOf(world, share));
  await Promise.all(orders.map((order) => ask(world, order)));
};

/** The same key again: at once, later, and once with another amount. */
const duplicates: Intent = async (world) => {
  const { random, total, currency, notes } = world;
  const order = orderOf(world, total);
  // Half of them cross: one key is one refund, whichever way it is sent.
  const crossing = random.chance(0.5);
  const answers = await Promise.all(
    Array.from({ length: random.between(2, 4) }, (_, index) =>
      ask(crossing && index % 2 === 1 ? { ...world, way: otherWay(world.way) } : world, order),
    ),
  );
  if (random.chance(0.5)) await sleep(random.spread(50, 6_000));
  answers.push(await ask(world, order));
  const ids = new Set(answers.flatMap((refund) => refund?.id ?? []));
  if (ids.size > 1) notes.wrong.push(`one key was answered with ${ids.size} refunds: ${[...ids].join(', ')}`);
  if (ids.size === 0 || total < 200n) return;
  const other = { ...order, request: orderOf(world, whole(total / 2n, currency)).request };
  await expectRefusal(world, other, ['idempotency_key_reused']);
};

/** Wrong in one way; nothing may be stored. */
const nonsense: Intent = async (world) => {
  if (world.way === 'http' && world.random.chance(0.5)) return unreadable(world);
  const good = orderOf(world, world.total);
  const change = (fields: Readonly<Record<string, unknown>>): RefundOrder => ({
    ...good,
    request: { ...requestOf(world, world.total), ...fields },
  });
  const [order, ...codes] = world.random.pick<[RefundOrder, ...string[]]>([
    [change({ amount: '0' }), 'invalid_request'],
    [change({ amount: '-1.00' }), 'invalid_request'],
    [change({ amount: '1,00' }), 'invalid_request'],
    [change({ amount: '1.0000' }), 'invalid_request'],
    [change({ amount: 12 }), 'invalid_request'],
    [change({ currency: 'XYZ' }), 'invalid_request'],
    [change({ paymentId: 'not-an-id' }), 'invalid_request'],
    [change({ paymentId: 'd'.repeat(32) }), 'invalid_request'],
    [change({ reason: ' ' }), 'invalid_request'],
    [change({ cardNumber: 'somewhere else' }), 'invalid_request'],
    [{ ...good, idempotencyKey: 'with a space' }, 'invalid_request'],
    // Over HTTP it is the key that says who asks.
    ...(world.way === 'client'
      ? [[{ ...good, requestedBy: '' }, 'invalid_request'] as [RefundOrder, ...string[]]]
      : []),
    // The gateway may just now hide the payment.
    [
      change({ amount: '9999999.00', currency: 'EUR' }),
      'exceeds_refundable',
      'currency_mismatch',
      'invalid_request',
    ],
    [change({ amount: '1.00', currency: 'USD' }), 'currency_mismatch', 'invalid_request'],
  ]);
  await expectRefusal(world, order, codes);
};

/** What only HTTP can get wrong: told with its own code, though the body would be a refund. */
const unreadable: Intent = async (world) => {
  const { random, http, notes, total } = world;
  const request = requestOf(world, total);
  const good = {
    method: 'POST',
    path: '/v1/refunds',
    by: CLERK,
    headers: { 'idempotency-key': randomUUID() },
    body: JSON.stringify(request),
  } as const;
  const { by: _nobody, ...anonymous } = good;
  const [sent, status, code] = random.pick<readonly [Sent, number, string]>([
    [anonymous, 401, 'unauthenticated'],
    [
      { ...good, headers: { ...good.headers, authorization: 'Bearer rk_000000000000_x' } },
      401,
      'unauthenticated',
    ],
    [{ ...good, by: OPERATOR }, 403, 'forbidden'],
    [{ ...good, headers: {} }, 422, 'invalid_request'],
    [{ ...good, body: good.body.slice(0, -1) }, 400, 'bad_request'],
    [{ ...good, body: '[]' }, 422, 'invalid_request'],
    [{ ...good, headers: { ...good.headers, 'content-type': 'text/plain' } }, 415, 'unsupported_media_type'],
    [
      { ...good, body: JSON.stringify({ ...request, metadata: 'x'.repeat(300_000) }) },
      413,
      'payload_too_large',
    ],
    [{ ...good, path: '/v1/refund' }, 404, 'not_found'],
  ]);
  try {
    const answer = await http.send(sent);
    if (answer.status === 503) return;
    const told = z.object({ code: z.string() }).safeParse(answer.body).data?.code;
    notes.refuse(told ?? String(answer.status));
    if (answer.status !== status || told !== code)
      notes.wrong.push(`answered ${answer.status} ${String(told)}, expected ${status} ${code}`);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
  }
};

/** One capture by its own id, or more than the first capture holds. */
const ofCaptures: Intent = async (world) => {
  const { random, payment, total, currency } = world;
  const [capture] = payment.captureIds;
  if (capture === undefined || random.chance(0.5)) return random.chance(0.5) ? full(world) : parts(world);
  const part = whole(total / BigInt(payment.captureIds.length) / 2n, currency);
  const orders = payment.captureIds.map((id) => orderOf(world, part === 0n ? total : part, id));
  await Promise.all(orders.map((order) => ask(world, order)));
};

const reversal: Intent = async (world) => {
  const { random, total, currency } = world;
  const part = whole(total / 3n, currency);
  await ask(world, orderOf(world, random.chance(0.2) && part > 0n ? part : total));
};

interface KindOfIntent {
  readonly kind: 'debit' | 'credit' | 'captures' | 'authorisation';
  readonly intent: Intent;
}

const INTENTS: readonly [KindOfIntent, ...KindOfIntent[]] = [
  { kind: 'debit', intent: full },
  { kind: 'debit', intent: full },
  { kind: 'debit', intent: parts },
  { kind: 'debit', intent: parts },
  { kind: 'debit', intent: race },
  { kind: 'debit', intent: duplicates },
  { kind: 'debit', intent: nonsense },
  { kind: 'credit', intent: full },
  { kind: 'credit', intent: full },
  { kind: 'credit', intent: parts },
  { kind: 'captures', intent: ofCaptures },
  { kind: 'captures', intent: ofCaptures },
  { kind: 'captures', intent: race },
  { kind: 'authorisation', intent: reversal },
];

function requestOf(world: World, hundredths: bigint, paymentId = world.payment.paymentId) {
  const { currency } = world;
  return { paymentId, amount: textOf(hundredths, currency), currency, reason: 'order_cancelled' };
}

function orderOf(world: World, hundredths: bigint, paymentId?: string): RefundOrder {
  const request = requestOf(world, hundredths, paymentId);
  return { caller: CLERK, idempotencyKey: randomUUID(), requestedBy: CLERK, request };
}

const ANSWER_LOST: ReadonlySet<string> = new Set([
  'temporal_unavailable',
  'no_answer',
  'gateway_unavailable',
]);

const otherWay = (way: World['way']): World['way'] => (way === 'http' ? 'client' : 'http');
const deskOf = ({ way, http, client }: World): Pick<Desk, 'requestRefund'> =>
  way === 'http' ? http : client;

/** The refund, or undefined where it was refused or the call failed. What failed is asked for again, now or at the end of the run. */
async function ask(world: World, order: RefundOrder): Promise<Refund | undefined> {
  const { random } = world;
  for (let again = random.between(0, 2); ; again -= 1) {
    const answer = await askOnce(deskOf(world), world.notes, order);
    if (answer.kind === 'accepted') return answer.refund;
    if (answer.kind === 'refused' || again <= 0 || world.over.aborted) return undefined;
    await sleep(random.spread(100, 4_000));
  }
}

export type Answer =
  | { readonly kind: 'accepted'; readonly refund: Refund }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'failed'; readonly error: string };

/** One call, written down. */
export async function askOnce(
  desk: Pick<Desk, 'requestRefund'>,
  notes: Notes,
  order: RefundOrder,
): Promise<Answer> {
  notes.asked += 1;
  try {
    const refund = await desk.requestRefund(order);
    notes.accept(refund, order.idempotencyKey);
    notes.doubts.delete(order.idempotencyKey);
    return { kind: 'accepted', refund };
  } catch (error) {
    if (error instanceof HttpRefusal || (error instanceof RefundsError && !ANSWER_LOST.has(error.code))) {
      // An earlier call with this key may still be in doubt: that stays to be settled.
      notes.refuse(error.code);
      return { kind: 'refused', code: error.code };
    }
    const text = error instanceof Error ? error.message : 'failed';
    if (error instanceof z.ZodError)
      notes.wrong.push(`an answer over HTTP is not what is documented: ${text}`);
    notes.failedCalls += 1;
    notes.doubts.set(order.idempotencyKey, { order, error: text });
    return { kind: 'failed', error: text };
  }
}

async function expectRefusal(world: World, order: RefundOrder, codes: readonly string[]): Promise<void> {
  const doubt = world.notes.doubts.get(order.idempotencyKey);
  const answer = await askOnce(deskOf(world), world.notes, order);
  // This body is not the one that the key stands for: what was in doubt before still is.
  if (doubt !== undefined) world.notes.doubts.set(order.idempotencyKey, doubt);
  else world.notes.doubts.delete(order.idempotencyKey);
  if (answer.kind === 'accepted')
    world.notes.wrong.push(`refund ${answer.refund.id} should have been refused (${codes.join(' or ')})`);
  if (answer.kind === 'refused' && !codes.includes(answer.code))
    world.notes.wrong.push(
      `refused as ${answer.code}, expected ${codes.join(' or ')}: ${JSON.stringify(order.request)}`,
    );
}
