/** Load of a soak run: intents of many kinds, over HTTP and through the typed client, each on a payment of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SimulatedGateway } from '../../sandbox/gateway/simulated-gateway.js';
import { Random } from '../simulation/harness/random.js';
import {
  ask,
  creditOf,
  expectRefusal,
  orderOf,
  otherOperation,
  type Intent,
  type Harness,
} from './asking.js';
import { CURRENCIES, whole, type Currency } from './money.js';
import { moodsFor } from './moods.js';
import { nonsense } from './nonsense.js';
import { add } from './notes.js';

export interface LoadOptions extends Pick<Harness, 'client' | 'http' | 'notes' | 'over'> {
  readonly gateway: SimulatedGateway;
  readonly random: Random;
  /** New intents per second, at most. */
  readonly rate: number;
  /** Returns how many refunds are not yet sent. A slow machine gets less load. */
  readonly backlog: () => number;
}

const MOST_AT_ONCE = 40;
const MOST_BACKLOG = 50;

/** Runs until `over`, and then until its requests have been answered. */
export async function runLoad(options: LoadOptions): Promise<void> {
  const { random, rate, over } = options;
  const running = new Set<Promise<void>>();
  while (!over.aborted) {
    if (running.size < MOST_AT_ONCE && options.backlog() < MOST_BACKLOG) {
      // Each intent has a random generator of its own, so a slow intent does not change the others.
      const intent = carryOut(options, random.between(0, 2 ** 31)).finally(() => running.delete(intent));
      running.add(intent);
    }
    await sleep(random.spread(200 / rate, 2_500 / rate));
  }
  await Promise.all(running);
}

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
  const refundable = kind === 'captures' ? captures.reduce((sum, amount) => sum + amount, 0n) : total;
  const operation = random.pick(['http', 'client'] as const);
  await intent({ ...options, random, currency, payment, total: refundable, operation });
}

/** Draws one to three captures that together are at most the authorized amount. */
function captured(random: Random, total: bigint, currency: Currency): bigint[] {
  const count = random.between(1, 3);
  const share = whole((total * BigInt(random.between(50, 100))) / 100n / BigInt(count), currency);
  return Array.from({ length: count }, () => share).filter((amount) => amount > 0n);
}

const full: Intent = async (harness) => {
  await ask(harness, orderOf(harness, harness.total));
};

/** Requests equal parts, one after the other or all at once. Each is a refund of its own. */
const parts: Intent = async (harness) => {
  const { random, total, currency } = harness;
  const count = random.between(2, 4);
  const part = whole(total / BigInt(count), currency);
  if (part === 0n) return full(harness);
  const orders = Array.from({ length: count }, () => orderOf(harness, part));
  if (random.chance(0.4)) await Promise.all(orders.map((order) => ask(harness, order)));
  else
    for (const order of orders) {
      const refund = await ask(harness, order);
      if (refund !== undefined && random.chance(0.3))
        await harness.client.waitFor(refund.id, 2_000).catch(() => undefined);
    }
};

/** Requests more than the payment holds, in two or three requests at once. */
const race: Intent = async (harness) => {
  const { random, total, currency } = harness;
  const share = whole((total * BigInt(random.pick([60, 75, 100]))) / 100n, currency);
  const orders = Array.from({ length: random.between(2, 3) }, () => orderOf(harness, share));
  await Promise.all(orders.map((order) => ask(harness, order)));
};

/** Repeats an idempotency key: at once, later, and once with another amount. */
const duplicates: Intent = async (harness) => {
  const { random, total, currency, notes } = harness;
  const order = orderOf(harness, total);
  // Half of them use both entry points: one key is one refund on either.
  const crossing = random.chance(0.5);
  const answers = await Promise.all(
    Array.from({ length: random.between(2, 4) }, (_, index) =>
      ask(
        crossing && index % 2 === 1 ? { ...harness, operation: otherOperation(harness.operation) } : harness,
        order,
      ),
    ),
  );
  if (random.chance(0.5)) await sleep(random.spread(50, 6_000));
  answers.push(await ask(harness, order));
  const ids = new Set(answers.flatMap((refund) => refund?.id ?? []));
  if (ids.size > 1) notes.wrong.push(`one key was answered with ${ids.size} refunds: ${[...ids].join(', ')}`);
  if (ids.size === 0 || total < 200n) return;
  const other = { ...order, request: orderOf(harness, whole(total / 2n, currency)).request };
  await expectRefusal(harness, other, ['idempotency_key_reused']);
};

/** Refunds captures by their own ids, or more than the first capture holds. */
const ofCaptures: Intent = async (harness) => {
  const { random, payment, total, currency } = harness;
  const [capture] = payment.captureIds;
  if (capture === undefined || random.chance(0.5)) return random.chance(0.5) ? full(harness) : parts(harness);
  const part = whole(total / BigInt(payment.captureIds.length) / 2n, currency);
  const orders = payment.captureIds.map((id) => orderOf(harness, part === 0n ? total : part, id));
  await Promise.all(orders.map((order) => ask(harness, order)));
};

const reversal: Intent = async (harness) => {
  const { random, total, currency } = harness;
  const part = whole(total / 3n, currency);
  await ask(harness, orderOf(harness, random.chance(0.2) && part > 0n ? part : total));
};

/** Requests a credit at once, at times beside a refund of the same money: together they may not exceed the payment. */
const directCredit: Intent = async (harness) => {
  const { random, payment, total, currency } = harness;
  const share = whole((total * BigInt(random.pick([40, 60, 100]))) / 100n, currency);
  const orders = [creditOf(harness, share === 0n ? total : share, payment)];
  if (random.chance(0.5)) orders.push(orderOf(harness, total));
  if (random.chance(0.2)) orders.push(...orders.slice(0, 1));
  await Promise.all(orders.map((order) => ask(harness, order)));
};

/** Requests an unlinked credit. It needs a second approver, whatever its amount. */
const unlinkedCredit: Intent = async (harness) => {
  const { random, payment, total } = harness;
  const order = creditOf(harness, total, { registrationId: payment.registrationId });
  await Promise.all(Array.from({ length: random.pick([1, 1, 2]) }, () => ask(harness, order)));
};

interface KindOfIntent {
  readonly kind: 'debit' | 'credit' | 'captures' | 'authorization';
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
  { kind: 'credit', intent: directCredit },
  { kind: 'credit', intent: unlinkedCredit },
  { kind: 'captures', intent: ofCaptures },
  { kind: 'captures', intent: ofCaptures },
  { kind: 'captures', intent: race },
  { kind: 'authorization', intent: reversal },
];
