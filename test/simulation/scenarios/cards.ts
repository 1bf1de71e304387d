/** Scenarios of credits to sealed cards: processes that die at each step, a key provider that is away, rows that were exchanged. */
import { acceptCredit } from '../../../activities/refund/accept.js';
import type { FaultEffect } from '../../../sandbox/gateway/faults.js';
import { formatAmount, storedMoney } from '../../../domain/money/money.js';
import {
  changeDestinationUpdate,
  gatewayNotification,
  refundWorkflowId,
} from '../../../workflows/refund/contract.js';
import type { LedgerFault, WriteFault } from '../harness/chaos.js';
import { GatewayLink } from '../harness/gateway-link.js';
import type { MemoryTables, Row } from '../database/tables.js';
import type { Harness } from '../harness/harness.js';
import type { Scenario } from '../harness/scenario.js';
import { startRefund } from '../simulation-run.js';
import { decide, NOT_LINKABLE, sendCommand, setFaults, SOFT, type Fields } from './acts.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const WRITE_FAULTS = [
  'crash_before',
  'crash_after_handing_over',
  'crash_with_answer',
  'freeze_before',
  'freeze_while_waiting',
  'not_sent',
  'gateway',
] as const satisfies readonly WriteFault[];
const LEDGER_FAULTS = [
  'crash_before',
  'crash_after',
  'commit_answer_lost',
  'freeze_after',
] as const satisfies readonly LedgerFault[];
/** Calls of the ledger around a credit to a card. */
const CALLS = ['openCredit', 'openRegistration', 'recordRegistration', 'record'] as const;

/** A credit to a card: requested directly, or by an operator who changes the destination of a refund that was declined. */
export const creditToCard: Scenario = {
  name: 'a credit goes to a sealed card',
  weight: 8,
  payments: ['unregistered', 'DB'],
  policy: (random) => ({ creditEnabled: true, cards: random.pick(['direct', 'direct', 'register']) }),
  direct: (harness) => {
    const { random, scheduler } = harness;
    const code = random.pick(NOT_LINKABLE);
    const isUnlinked = random.chance(0.5);
    const withCvv = random.chance(0.7);
    const isExchanged = random.chance(0.2);
    const trouble = random.pick<FaultEffect>([
      { kind: 'drop_before_execute' },
      { kind: 'accept_then_drop', dropAfterMs: 0 },
      { kind: 'reject', code: random.pick(SOFT) },
    ]);
    let writes = 0;
    let toChange = !isUnlinked;
    const fault = random.pick(WRITE_FAULTS);
    const faultOf = random.chance(0.7) ? random.between(1, 2) : 0;
    const failing = random.pick(CALLS);
    let ledgerFault = random.chance(0.4) ? random.pick(LEDGER_FAULTS) : undefined;
    if (random.chance(0.3))
      scheduler.after(
        0,
        () => (harness.vault.unavailableUntil = scheduler.now + random.spread(MINUTE, 6 * HOUR)),
      );

    const careful = (work: Promise<void>): void => void work.catch((error: unknown) => harness.fail(error));
    const sealed = async (): Promise<string> => {
      const cardRef = await harness.vault.seal(withCvv);
      if (isExchanged) await exchange(harness, cardRef, await harness.vault.seal(withCvv));
      return cardRef;
    };
    if (isUnlinked)
      scheduler.after(random.spread(MINUTE, HOUR), () =>
        careful(sealed().then((ref) => request(harness, ref))),
      );
    return {
      ledger: (call) => {
        if (call !== failing || harness.vault.numbers.size === 0) return undefined;
        const once = ledgerFault;
        ledgerFault = undefined;
        return once;
      },
      write: (fields) => {
        if (fields['card.number'] === undefined) return 'gateway';
        writes += 1;
        return writes === faultOf ? fault : 'gateway';
      },
      atGateway: (fields: Fields) => {
        if (!isUnlinked && fields['paymentType'] === 'RF')
          setFaults(harness, fields, { kind: 'reject', code });
        if (fault === 'gateway' && writes === faultOf && fields['card.number'] !== undefined)
          setFaults(harness, fields, trouble);
      },
      moved: (refundId, to) => {
        if (to === 'awaiting_approval')
          scheduler.after(random.spread(1_000, HOUR), () => decide(harness, refundId, 'approved'));
        if (to !== 'manual_review') return;
        scheduler.after(random.spread(MINUTE, 4 * HOUR), () => {
          if (toChange) {
            toChange = false;
            careful(
              sealed().then((cardRef) =>
                sendCommand(harness, refundId, changeDestinationUpdate.name, {
                  cardRef,
                  by: 'operator',
                  reason: 'asked by the customer',
                }),
              ),
            );
          } else careful(renewCvv(harness, refundId));
        });
      },
    };
  },
};

/** Requests a credit that is linked to no payment. */
async function request(harness: Harness, cardRef: string): Promise<void> {
  const { ledger, payment } = harness;
  const gateway = new GatewayLink(harness, harness.outsider('client'), true);
  const { refund } = await acceptCredit(harness.dependencies({ ledger, gateway }), {
    clientId: 'shop',
    idempotencyKey: 'credit-to-a-card',
    requestedBy: 'asker',
    request: {
      amount: formatAmount(storedMoney(payment.roundDown(payment.minor), payment.currency)),
      currency: payment.currency,
      reason: 'goodwill',
      destination: { cardRef },
    },
  });
  startRefund(harness, refund.id);
}

/** Gives a new CVV where a case asks for one, and replays. */
async function renewCvv(harness: Harness, refundId: string): Promise<void> {
  const { cases, refunds } = harness.database.tables.rows;
  const isAsked = cases.some(
    (row) => row['refund_id'] === refundId && row['why'] === 'cvv_needed' && row['closed_at'] === null,
  );
  const destination: unknown = refunds.find((row) => row['id'] === refundId)?.['destination'];
  if (!isAsked || typeof destination !== 'object' || destination === null || !('cardRef' in destination))
    return;
  await harness.vault.giveCvv(String(destination.cardRef));
  const { kind } = await harness.ledger.replay({
    refundId,
    by: 'operator',
    reason: 'the customer gave the code',
  });
  harness.trace.note('operator', `new CVV, replay: ${kind}`);
  if (kind === 'replayed') harness.cluster.signal(refundWorkflowId(refundId), gatewayNotification.name);
}

/** Exchanges the ciphertexts and keys of two cards, as somebody with access to the database may. */
async function exchange({ database, trace }: Harness, one: string, other: string): Promise<void> {
  trace.note('outside', 'the rows of two cards are exchanged');
  const { tables } = database;
  await database.transaction(() => {
    swap(tables, 'cards', ({ id }) => id, ['sealed', 'sealed_cvv']);
    for (const field of ['card', 'cvv'])
      swap(tables, 'card_keys', (row) => (row['field'] === field ? row['card_id'] : undefined), ['wrapped']);
    return Promise.resolve();
  });

  function swap(
    all: MemoryTables,
    table: 'cards' | 'card_keys',
    cardOf: (row: Row) => unknown,
    columns: readonly string[],
  ): void {
    const first = all.rows[table].find((row) => cardOf(row) === one);
    const second = all.rows[table].find((row) => cardOf(row) === other);
    if (first === undefined || second === undefined) return;
    const of = (row: Row): Row => Object.fromEntries(columns.map((column) => [column, row[column]]));
    const [mine, theirs] = [of(first), of(second)];
    all.update(table, first, theirs);
    all.update(table, second, mine);
  }
}
