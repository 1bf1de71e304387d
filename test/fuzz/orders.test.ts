/** Fuzzes refund orders: each is refused with nothing stored, or stored once as requested, of money that is there. */
import { isSameOperator } from '../../domain/refund/operator-note.js';
import { describe, expect, it } from 'vitest';
import {
  acceptCredit,
  acceptRefund,
  GatewayUnavailable,
  PaymentUnreadable,
  RequestRefused,
} from '../../activities/refund/accept.js';
import type { Dependencies } from '../../activities/dependencies.js';
import type { Gateway } from '../../gateway/gateway.js';
import { findById, findWithLinked } from '../../gateway/oppwa/queries.js';
import { interpret } from '../../gateway/oppwa/transaction.js';
import { LedgerError } from '../../ledger/ledger.js';
import { createLedger } from '../../ledger/postgres.js';
import { ledgerViolations } from '../simulation/checks/books.js';
import { openMemoryDatabase } from '../simulation/database/memory-database.js';
import type { Random } from '../simulation/harness/random.js';
import { fuzz, holds, inTier } from './fuzz.js';
import { TEXTS as ANSWER_TEXTS } from './fixture-answers.js';
import {
  CARD,
  creditRequest,
  isOfAnotherCurrency,
  ENTITY,
  garbled,
  isLine,
  minorOf,
  PAYMENTS,
  request,
  tenThousandths,
  TEXTS,
} from './fixture-requests.js';
import { changed, written } from './mutations.js';
import { amountOf, entriesOf } from './second-opinion.js';
import { strictJson } from './strict-json.js';

const neverAsked = (): Promise<never> =>
  Promise.reject(new Error('Accepting asks for nothing but the payment.'));

/** Builds an empty ledger, and a gateway that shows four payments of 100.00 euros, at times mutated. */
function harness(random: Random) {
  let time = 0;
  /** The most that any answer showed of each payment, in ten-thousandths. Undefined if the answer nests too deep for a second reader. */
  const shownOf = new Map<string, bigint | undefined>();
  const show = (id: string, body: string): void => {
    const reported = strictJson(body);
    const sum = entriesOf(reported).reduce((total, entry) => total + (amountOf(entry) ?? 0n), 0n);
    const before = shownOf.has(id) ? shownOf.get(id) : 0n;
    const isDeep = reported === undefined && body.split(/[{[]/).length > 400;
    shownOf.set(id, isDeep || before === undefined ? undefined : sum > before ? sum : before);
  };
  const database = openMemoryDatabase(() => (time += 1));
  /** Returns the gateway's answer to a query of the payment, by v3 and by v1. */
  const queryOf = (entityId: string, id: string) => ({
    entityId,
    host: 'live' as const,
    finishBy: 0,
    get: async () => {
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
        ? written(random, changed(random, shown, ANSWER_TEXTS))
        : JSON.stringify(shown);
      show(id, body);
      return { kind: 'answered' as const, httpStatus: 200, body };
    },
  });
  const gateway: Gateway = {
    refund: neverAsked,
    reverse: neverAsked,
    creditRegistration: neverAsked,
    creditCard: neverAsked,
    registerCard: neverAsked,
    removeRegistration: neverAsked,
    findByReference: neverAsked,
    resultCodes: neverAsked,
    interpret: (_entityId, recorded) => interpret(recorded, 'live'),
    close: () => Promise.resolve(),
    // A mutated answer says that v3 reporting is not enabled.
    findById: (entityId, id) => findById(queryOf(entityId, id), id),
    findWithLinked: (entityId, id) => findWithLinked(queryOf(entityId, id), id),
  };
  const deps: Dependencies = {
    ledger: createLedger(database),
    gateway,
    defaultEntityId: ENTITY,
    hasEntity: (id) => id === ENTITY,
    hasCardKeys: true,
    now: () => ({ monotonic: time, wall: time }),
    pause: () => Promise.resolve(),
  };
  return { deps, tables: database.tables, shownOf };
}

const REFUSALS = [RequestRefused, GatewayUnavailable, PaymentUnreadable, LedgerError];
/** A ledger of many rows is slow to search, and one of few rarely runs out of refundable money. */
const ORDERS_OF_A_HARNESS = 100;
const ALL_ORDERS = 40_000;

function drawOrder(random: Random) {
  const askedFor: 'credit' | 'refund' = random.chance(0.2) ? 'credit' : 'refund';
  const drawn = askedFor === 'credit' && random.chance(0.5) ? creditRequest(random) : request(random);
  const order = {
    clientId: random.chance(0.9) ? 'shop' : 'desk',
    idempotencyKey: `key-${random.between(1, 60)}`,
    requestedBy: 'anna',
    request: garbled(random, drawn),
  };
  // As another process would send it, with unchecked types.
  if (random.chance(0.1)) {
    const field = random.pick(['clientId', 'idempotencyKey', 'requestedBy'] as const);
    const other = random.chance(0.3) ? `${order[field]} ${CARD}` : changed(random, order[field], TEXTS);
    Object.assign(order, { [field]: other });
  }
  return { askedFor, order };
}

describe('a refund order', () => {
  it('is refused with nothing stored, or stored once as requested and within the captured amount', async () => {
    const seen: Record<string, number> = {};
    let orders = 0;
    await fuzz(inTier(ALL_ORDERS) / ORDERS_OF_A_HARNESS, async (random) => {
      const { deps, tables, shownOf } = harness(random);
      let last: ReturnType<typeof drawOrder> | undefined;
      for (let nth = 0; nth < ORDERS_OF_A_HARNESS; nth += 1) {
        orders += 1;
        // A client repeats its last order now and then: an accepted one is known then.
        last = last !== undefined && random.chance(0.05) ? last : drawOrder(random);
        const { askedFor, order } = last;
        const before = tables.rows.refunds.length;
        const outcome = await (askedFor === 'credit' ? acceptCredit : acceptRefund)(deps, order).then(
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
        if (refund.isUnlinkedCredit) seen['unlinked'] = (seen['unlinked'] ?? 0) + 1;
        seen[isNew ? 'new' : 'known'] = (seen[isNew ? 'new' : 'known'] ?? 0) + 1;
        holds(stored === (isNew ? 1 : 0), 'Not stored exactly once.', order);
        holds(
          isOfAnotherCurrency(order.request) || refund.amountMinor === minorOf(order.request, askedFor),
          'Stored with another amount than requested.',
          order,
        );
        const asked = new Map<string, unknown>(
          typeof order.request === 'object' && order.request !== null ? Object.entries(order.request) : [],
        );
        holds(
          refund.currency === asked.get('currency') &&
            refund.askedFor === askedFor &&
            (refund.isUnlinkedCredit ? undefined : refund.paymentId) === asked.get('paymentId') &&
            refund.reason === asked.get('reason') &&
            refund.orderId === (asked.get('orderId') ?? null),
          'The refund of another request.',
          order,
        );
        for (const name of ['clientId', 'idempotencyKey', 'requestedBy'] as const)
          holds(
            typeof order[name] === 'string' &&
              isLine(order[name].trim(), 255) &&
              (name === 'requestedBy' ||
                // Two spellings of one name are the same owner of keys.
                (name === 'clientId'
                  ? isSameOperator(refund.clientId, order.clientId)
                  : refund[name] === order[name].trim())),
            'Stored under a name that is none.',
            order,
          );
      }
      holds(
        ledgerViolations(tables, 'at any moment').length === 0,
        'The books are wrong.',
        ledgerViolations(tables, 'at any moment'),
      );
      holds(
        tables.rows.payments.every(
          (row) => row['type'] !== 'CD' || tables.rows.refunds.some((one) => one['payment_id'] === row['id']),
        ),
        'The payment row of an unlinked credit is stored without its refund.',
        tables.rows.payments,
      );
      for (const paymentId of PAYMENTS) {
        const promised = tables.rows.refunds
          .filter((row) => row['payment_id'] === paymentId)
          .reduce(
            (sum, row) => sum + BigInt(String(row['amount_minor'])) * tenThousandths(String(row['currency'])),
            0n,
          );
        const payment = tables.rows.payments.find((row) => row['id'] === paymentId);
        holds(
          tables.rows.refunds.every(
            (row) => row['payment_id'] !== paymentId || row['currency'] === payment?.['currency'],
          ),
          'Promised in another currency than captured.',
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
    // Rarer results than these need all orders.
    const rare = orders < ALL_ORDERS ? [] : ['currency_mismatch', 'GatewayUnavailable', 'PaymentUnreadable'];
    for (const kind of [
      'new',
      'known',
      'RequestRefused',
      'exceeds_refundable',
      'idempotency_key_reused',
      'unlinked',
      ...rare,
    ])
      expect([kind, (seen[kind] ?? 0) > 0]).toEqual([kind, true]);
    expect(orders).toBeGreaterThanOrEqual(ORDERS_OF_A_HARNESS);
  }, 600_000);
});
