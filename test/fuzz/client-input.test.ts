/** Whatever somebody asks for: every refusal is one with a reason, and what is accepted is what was asked, of money that is there. */
import { describe, expect, it } from 'vitest';
import { acceptRefund, GatewayUnavailable, RequestRefused } from '../../activities/accept.js';
import type { Dependencies } from '../../activities/dependencies.js';
import { isCurrencyCode } from '../../domain/currency.js';
import { formatAmount, gatewayAmount, parseAmount, parseGatewayAmount } from '../../domain/money.js';
import { canonicalRequest, readRefundRequest } from '../../domain/request.js';
import type { Gateway } from '../../gateway/gateway.js';
import { findWithLinked } from '../../gateway/look-ups.js';
import { LedgerError } from '../../ledger/ledger.js';
import { createLedger } from '../../ledger/postgres.js';
import { ledgerViolations } from '../simulation/checks/books.js';
import { openMemoryDatabase } from '../simulation/database/memory-database.js';
import type { Random } from '../simulation/world/random.js';
import { fuzz, holds } from './fuzz.js';
import { changed, edited, odd, written } from './mutations.js';
import { amountOf, CARD as CARD_IN_TEXT, entriesOf, isKeepable, worth } from './second-opinion.js';
import { strictJson } from './strict-json.js';
import { WORDS as ANSWER_WORDS } from './given-answers.js';

const PAYMENTS = ['a1', 'b2', 'c3', 'd4'].map((id) => id.repeat(16));
const [FIRST = ''] = PAYMENTS;
const ENTITY = 'e'.repeat(32);
const CARD = '4111111111111111';

const GOOD = {
  paymentId: FIRST,
  amount: '12.30',
  currency: 'EUR',
  reason: 'goods_returned',
  orderId: '4711',
  destination: { registrationId: 'c'.repeat(32) },
  entityId: ENTITY,
  metadata: { desk: '7', 'für wen': 'Zoë 👩‍👩‍👧‍👦' },
};

/** Right in another place, or what only a program can pass and JSON cannot. */
const WORDS: readonly [unknown, ...unknown[]] = [
  ENTITY,
  ...PAYMENTS,
  '0.01',
  '100.00',
  '1.230',
  '1.234',
  '7',
  '9999999999.99',
  '10000000000.00',
  'JPY',
  'KWD',
  'XXX',
  'XAU',
  CARD,
  undefined,
  12.3,
  1230n,
  Symbol('EUR'),
  () => '12.30',
  new Date(0),
  new Map([['amount', '12.30']]),
  Object.create(null),
];

/** Decimals of the currencies that occur here. */
const DECIMALS: Readonly<Record<string, number>> = { EUR: 2, USD: 2, JPY: 0, KWD: 3 };

const tenThousandths = (currency: string): bigint => 10n ** BigInt(4 - (DECIMALS[currency] ?? 4));

/** What the rules say of a request, written from docs and not from the code. The minor units, or undefined where it is refused. */
function minorOf(input: unknown): bigint | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined;
  const known = [
    'paymentId',
    'amount',
    'currency',
    'reason',
    'orderId',
    'destination',
    'entityId',
    'metadata',
  ];
  const fields = new Map<string, unknown>(Object.entries(input));
  const has = (name: string) => fields.get(name) !== undefined;
  if ([...fields.keys()].some((name) => !known.includes(name))) return undefined;
  if (!isHex(fields.get('paymentId')) || (has('entityId') && !isHex(fields.get('entityId'))))
    return undefined;
  if (!isLine(fields.get('reason'), 200) || (has('orderId') && !isLine(fields.get('orderId'), 255)))
    return undefined;
  const destination = fields.get('destination');
  if (destination !== undefined) {
    if (typeof destination !== 'object' || destination === null || Array.isArray(destination))
      return undefined;
    const entries = Object.entries(destination);
    if (entries.length !== 1 || entries[0]?.[0] !== 'registrationId' || !isHex(entries[0][1]))
      return undefined;
  }
  const metadata = fields.get('metadata');
  if (metadata !== undefined) {
    if (typeof metadata !== 'object' || metadata === null || !isRecord(metadata)) return undefined;
    const entries: (readonly [string, unknown])[] = Object.entries(metadata);
    if (entries.length > 50 || Object.hasOwn(metadata, '__proto__')) return undefined;
    for (const [name, value] of entries)
      if (
        !isLine(name, 40) ||
        typeof value !== 'string' ||
        value.length > 500 ||
        !isKeepable(value) ||
        CARD_IN_TEXT.test(value)
      )
        return undefined;
  }
  return minorOfAmount(fields.get('amount'), fields.get('currency'));
}

const isHex = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);

/** What JSON makes, or a program without a class: the entries of a Map would be lost. */
function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Numbers long enough for a card: whether they are one is decided by table, in test/domain. */
function perhapsCard(input: unknown): boolean {
  if (typeof input === 'string') return /\d(?:[\s\p{Pd}]*\d){12}/u.test(input);
  return typeof input === 'object' && input !== null && Object.entries(input).flat().some(perhapsCard);
}

function isLine(value: unknown, longest: number): boolean {
  if (typeof value !== 'string' || value.length > longest || value.trim() === '' || !isKeepable(value))
    return false;
  if (CARD_IN_TEXT.test(value)) return false;
  return value.split('').every((unit) => unit >= ' ' && unit !== '\u007f');
}

/** Digits, with all of the currency's decimals or none, more than nothing, and expressible in the gateway's two decimals. */
function minorOfAmount(amount: unknown, currency: unknown): bigint | undefined {
  if (typeof amount !== 'string' || typeof currency !== 'string') return undefined;
  const decimals = Object.hasOwn(DECIMALS, currency) ? DECIMALS[currency] : undefined;
  if (decimals === undefined || !/^\d+(\.\d+)?$/.test(amount)) return undefined;
  const [whole = '', fraction] = amount.split('.');
  if (whole.length > 10 || (whole.length > 1 && whole.startsWith('0'))) return undefined;
  if (fraction !== undefined && fraction.length !== decimals) return undefined;
  const minor = BigInt(whole + (fraction ?? '0'.repeat(decimals)));
  return minor > 0n && (decimals < 3 || minor % 10n === 0n) ? minor : undefined;
}

function garbled(random: Random, value: unknown): unknown {
  let now = value;
  for (let times = random.pick([0, 0, 1, 1, 1, 2, 3]); times > 0; times -= 1)
    now = changed(random, now, WORDS);
  return random.chance(0.01) ? odd(random) : now;
}

/** Requests differ, also where nothing is wrong with them. */
function request(random: Random): unknown {
  const { paymentId, amount, currency, reason, ...more } = GOOD;
  const usual = {
    paymentId: random.chance(0.5) ? paymentId : PAYMENTS[random.between(0, PAYMENTS.length - 1)],
    amount: random.chance(0.5) ? amount : `${random.between(0, 40)}.${random.between(10, 99)}`,
    currency,
    reason,
  };
  return random.chance(0.5) ? usual : { ...usual, ...more };
}

describe('a request', () => {
  it('is accepted exactly where the rules allow it, and every refusal names a reason and no card, in 160,000 of them', async () => {
    let accepted = 0;
    await fuzz(160_000, (random) => {
      const input = garbled(random, random.chance(0.5) ? GOOD : request(random));
      const reading = readRefundRequest(input);
      const minor = minorOf(input);
      if (!reading.ok) {
        holds(reading.problems.length > 0, 'Refused without a reason.', input);
        holds(
          reading.problems.every(({ field, code, message }) => field !== '' && code !== '' && message !== ''),
          'A problem that says nothing.',
          reading.problems,
        );
        holds(!JSON.stringify(reading.problems).includes(CARD), 'What may be a card is repeated.', reading);
        // Other currencies than these are known to the program alone.
        const currency = currencyIn(input);
        if (typeof currency === 'string' && isCurrencyCode(currency) && !Object.hasOwn(DECIMALS, currency))
          return;
        if (reading.problems.every(({ code }) => code === 'card_number') && perhapsCard(input)) return;
        holds(minor === undefined, 'Refused although the rules allow it.', [input, reading.problems]);
        return;
      }
      accepted += 1;
      holds(reading.request.money.minor === minor, 'Accepted with another amount than was asked.', input);
      holds(gatewayAmount(reading.request.money).ok, 'The gateway cannot be told of it.', input);
      const again = readRefundRequest({
        ...reading.request,
        money: undefined,
        amount: formatAmount(reading.request.money),
        currency: reading.request.money.currency,
      });
      holds(!again.ok, 'A field that nobody knows was let through.', input);
      const same = readRefundRequest(withoutMoney(reading.request));
      holds(
        same.ok && canonicalRequest(same.request) === canonicalRequest(reading.request),
        'Read back it is another request.',
        input,
      );
    });
    expect(accepted).toBeGreaterThan(0);
  }, 600_000);

  it('of an amount is never worth another amount, in 100,000 texts', async () => {
    let read = 0;
    await fuzz(100_000, (random) => {
      const currency = random.pick(['EUR', 'JPY', 'KWD', 'USD', 'XXX', 'eur', '', '__proto__']);
      const digits = String(random.between(0, 10 ** random.between(1, 12)));
      const right = random.chance(0.3)
        ? digits
        : `${digits}.${String(random.between(0, 9999)).slice(0, random.between(1, 4))}`;
      const text: unknown = random.chance(0.05)
        ? odd(random)
        : random.chance(0.4)
          ? right
          : edited(random, right);
      const asked = parseAmount(text, currency);
      const given = typeof text === 'string' ? parseGatewayAmount(text, currency) : undefined;
      const value = typeof text === 'string' ? worth(text) : undefined;
      for (const reading of [asked, given]) {
        if (reading?.ok !== true) continue;
        read += 1;
        const { minor, decimals } = reading.money;
        holds(DECIMALS[currency] === decimals, 'Another number of decimals.', [text, currency]);
        holds(value === minor * 10n ** BigInt(4 - decimals), 'Another value.', [text, currency, minor]);
      }
      const strict = minorOfAmount(text, currency);
      if (strict !== undefined)
        holds(asked.ok && asked.money.minor === strict, 'Refused or another.', [text, currency]);
      if (asked.ok && strict === undefined)
        holds(
          asked.money.minor > 0n && !gatewayAmount(asked.money).ok,
          'Taken although the rules forbid it.',
          [text, currency],
        );
    });
    expect(read).toBeGreaterThan(0);
  }, 600_000);
});

function currencyIn(input: unknown): unknown {
  return typeof input === 'object' && input !== null && 'currency' in input ? input.currency : undefined;
}

/** The request as a caller would write it. */
function withoutMoney({ money, ...fields }: { readonly money: Parameters<typeof formatAmount>[0] }): object {
  return { ...fields, amount: formatAmount(money), currency: money.currency };
}

const neverAsked = (): Promise<never> =>
  Promise.reject(new Error('Accepting asks for nothing but the payment.'));

/** A ledger that starts empty, and a gateway that shows four payments of 100.00 euros, now and then garbled. */
function world(random: Random) {
  let time = 0;
  /** The most that any answer showed of each payment, in ten-thousandths; undefined where it is too deep for a second reader. */
  const shownOf = new Map<string, bigint | undefined>();
  const show = (id: string, body: string): void => {
    const told = strictJson(body);
    const sum = entriesOf(told).reduce((total, entry) => total + (amountOf(entry) ?? 0n), 0n);
    const before = shownOf.has(id) ? shownOf.get(id) : 0n;
    const isDeep = told === undefined && body.split(/[{[]/).length > 400;
    shownOf.set(id, isDeep || before === undefined ? undefined : sum > before ? sum : before);
  };
  const database = openMemoryDatabase(() => (time += 1));
  const gateway: Gateway = {
    refund: neverAsked,
    reverse: neverAsked,
    creditRegistration: neverAsked,
    creditCard: neverAsked,
    findByReference: neverAsked,
    resultCodes: neverAsked,
    close: () => Promise.resolve(),
    findWithLinked: (entityId, id) =>
      findWithLinked(
        async () => {
          const shown = {
            id,
            paymentType: 'DB',
            amount: '100.00',
            currency: 'EUR',
            registrationId: 'a'.repeat(32),
            result: { code: '000.000.000', description: '' },
            linkedTransactions: [],
          };
          const body = random.chance(0.2)
            ? written(random, changed(random, shown, ANSWER_WORDS))
            : JSON.stringify(shown);
          show(id, body);
          return { kind: 'answered', httpStatus: 200, body };
        },
        entityId,
        id,
        0,
      ),
  };
  const deps: Dependencies = {
    ledger: createLedger(database),
    gateway,
    defaultEntityId: ENTITY,
    hasEntity: (id) => id === ENTITY,
    hostOf: () => 'live',
    now: () => time,
  };
  return { deps, tables: database.tables, shownOf };
}

const REFUSALS = [RequestRefused, GatewayUnavailable, LedgerError];
/** A ledger of many rows is slow to search; one of few refuses too rarely what is not there any more. */
const ORDERS_OF_A_WORLD = 100;

describe('an order of a refund', () => {
  it('is refused with nothing stored, or stored once as it was asked and within what was captured, in 40,000 orders', async () => {
    const seen: Record<string, number> = {};
    let orders = 0;
    await fuzz(40_000 / ORDERS_OF_A_WORLD, async (random) => {
      const { deps, tables, shownOf } = world(random);
      for (let nth = 0; nth < ORDERS_OF_A_WORLD; nth += 1) {
        orders += 1;
        const right = {
          caller: random.chance(0.9) ? 'shop' : 'desk',
          idempotencyKey: `key-${random.between(1, 60)}`,
          requestedBy: 'anna',
          request: garbled(random, request(random)),
        };
        const order = { ...right };
        // As it comes from another process, whose types nobody checked.
        if (random.chance(0.1)) {
          const field = random.pick(['caller', 'idempotencyKey', 'requestedBy'] as const);
          Object.assign(order, { [field]: changed(random, right[field], WORDS) });
        }
        const before = tables.rows.refunds.length;
        const outcome = await acceptRefund(deps, order).then(
          (accepted) => ({ accepted }),
          (error: unknown) => ({ error }),
        );
        const stored = tables.rows.refunds.length - before;
        if ('error' in outcome) {
          const { error } = outcome;
          holds(
            REFUSALS.some((kind) => error instanceof kind),
            `It broke: ${String(error)}`,
            order,
          );
          holds(stored === 0, 'Refused, and a refund is stored.', order);
          const name = error instanceof LedgerError ? error.code : error instanceof Error ? error.name : '';
          seen[name] = (seen[name] ?? 0) + 1;
          continue;
        }
        const { refund, isNew } = outcome.accepted;
        seen[isNew ? 'new' : 'known'] = (seen[isNew ? 'new' : 'known'] ?? 0) + 1;
        holds(stored === (isNew ? 1 : 0), 'Stored not once.', order);
        holds(
          refund.amountMinor === minorOf(order.request),
          'Stored with another amount than was asked.',
          order,
        );
        const asked = new Map<string, unknown>(
          typeof order.request === 'object' && order.request !== null ? Object.entries(order.request) : [],
        );
        holds(
          refund.currency === asked.get('currency') &&
            refund.paymentId === asked.get('paymentId') &&
            refund.reason === asked.get('reason') &&
            refund.orderId === (asked.get('orderId') ?? null),
          'The refund of another request.',
          order,
        );
        for (const name of ['caller', 'idempotencyKey', 'requestedBy'] as const)
          holds(
            typeof order[name] === 'string' &&
              isLine(order[name], 255) &&
              (name === 'requestedBy' || refund[name] === order[name]),
            'Stored under a name that is none.',
            order,
          );
      }
      holds(
        ledgerViolations(tables, 'at any moment').length === 0,
        'The books are wrong.',
        ledgerViolations(tables, 'at any moment'),
      );
      for (const paymentId of PAYMENTS) {
        const promised = tables.rows.refunds
          .filter((row) => row['payment_id'] === paymentId)
          .reduce(
            (sum, row) => sum + BigInt(String(row['amount_minor'])) * tenThousandths(String(row['currency'])),
            0n,
          );
        const kept = tables.rows.payments.find((row) => row['id'] === paymentId);
        holds(
          tables.rows.refunds.every(
            (row) => row['payment_id'] !== paymentId || row['currency'] === kept?.['currency'],
          ),
          'Promised in another currency than was taken.',
          paymentId,
        );
        const shown = shownOf.has(paymentId) ? shownOf.get(paymentId) : 0n;
        holds(shown === undefined || promised <= shown, 'More is promised than any answer showed.', [
          paymentId,
          promised,
          shown,
        ]);
      }
    });
    for (const kind of [
      'new',
      'known',
      'RequestRefused',
      'exceeds_refundable',
      'idempotency_key_reused',
      'GatewayUnavailable',
    ])
      expect([kind, (seen[kind] ?? 0) > 0]).toEqual([kind, true]);
    expect(orders).toBeGreaterThanOrEqual(ORDERS_OF_A_WORLD);
  }, 600_000);
});
