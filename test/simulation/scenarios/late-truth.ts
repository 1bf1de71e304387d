/** Scenarios in which the gateway corrects itself: a declined order that had paid, or an absent order that existed. */
import { withdrawUpdate } from '../../../workflows/refund/contract.js';
import {
  attemptsOf,
  capturesOf,
  returnPaid,
  decide,
  FINAL,
  HIDDEN,
  NOT_LINKABLE,
  nthWrite,
  paidOnceMore,
  setFaults,
  sendCommand,
  showAll,
  SOFT,
  turnsOutPaid,
  UNCLEAR,
  under,
} from './acts.js';
import { happens } from '../harness/chargebacks.js';
import type { Scenario } from '../harness/scenario.js';
import { LIMITS } from '../harness/config.js';
import type { Harness } from '../harness/harness.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A declined order turns out paid before anything else was submitted: while the refund waits, or while a credit is decided. */
export const paidAfterAll: Scenario = {
  name: 'a declined order turns out paid before the next order',
  weight: 8,
  payments: ['DB', 'DB', 'parts'],
  policy: () => ({ creditEnabled: true, creditApprovalAbove: {} }),
  direct: (harness) => {
    const { random, scheduler } = harness;
    const moment = random.pick(['rejected', 'before credit', 'awaiting_approval', 'before approval']);
    const code = random.pick(moment === 'rejected' ? SOFT : NOT_LINKABLE);
    let isToCome = true;
    return {
      write: nthWrite(1),
      atGateway: (fields) => setFaults(harness, fields, { kind: 'reject', code }),
      moved: (refundId, to) => {
        const at = moment === 'rejected' || moment === 'before credit' ? 'rejected' : 'awaiting_approval';
        if (to !== at || !isToCome) return;
        isToCome = false;
        const isSilent = moment === 'before credit' || moment === 'before approval';
        // Before the next submission: after it, the refund could be paid twice.
        const after = moment === 'rejected' ? random.spread(10, 8 * MINUTE) : 0;
        scheduler.after(after, () => turnsOutPaid(harness, refundId, isSilent ? 'silently' : 'notified'));
        if (moment === 'before approval')
          scheduler.after(random.spread(100, HOUR), () => decide(harness, refundId, 'approved'));
      },
    };
  },
};

/** The refund has ended unpaid and then turns out paid, all of it or a part. */
export const paidAfterTheEnd: Scenario = {
  name: 'a declined order turns out paid after the end',
  weight: 10,
  payments: ['DB', 'parts'],
  direct: (harness) => {
    const { random, scheduler } = harness;
    const end = random.pick(['failed', 'canceled', 'closed_by_dispute', 'refunded_elsewhere'] as const);
    const code = {
      failed: random.pick(FINAL),
      canceled: random.pick(SOFT),
      closed_by_dispute: random.pick(UNCLEAR),
      refunded_elsewhere: random.pick(UNCLEAR),
    };
    const undo: (() => void)[] = [];
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        const { gateway } = harness;
        setFaults(harness, fields, { kind: 'reject', code: code[end] });
        for (const paymentId of capturesOf(harness)) {
          if (end === 'closed_by_dispute')
            happens(harness, 'chargeback of all', () => {
              const { id } = gateway.chargeback({ paymentId });
              undo.push(() => void gateway.reverseChargeback(id));
            });
          if (end === 'refunded_elsewhere')
            happens(harness, 'portal refund of all', () => {
              const amount = gateway.transactions().find(({ id }) => id === paymentId)?.amount ?? 0n;
              const { id } = gateway.refundInPortal({ paymentId, amount });
              undo.push(() => void gateway.failLate({ id }));
            });
        }
        showAll(harness);
      },
      moved: (refundId, to) => {
        if (to === 'rejected' && end === 'canceled')
          scheduler.after(random.spread(100, 5 * MINUTE), () =>
            sendCommand(harness, refundId, withdrawUpdate.name, {
              by: 'operator',
              reason: 'no longer wanted',
            }),
          );
        if (to !== end) return;
        const at = random.spread(100, DAY);
        // After a refund elsewhere the gateway pays nothing more until that refund was returned.
        const isUndone = end === 'refunded_elsewhere' || random.chance(0.6);
        if (isUndone)
          scheduler.after(at, () => {
            for (const act of undo) happens(harness, 'what settled it is undone', act);
          });
        scheduler.after(isUndone ? at + random.spread(10, HOUR) : at, () => turnsOutPaid(harness, refundId));
      },
    };
  },
};

/** Queries show an order later than they may: it was proven absent before. It is shown just before the next submission. */
export const absentTooEarly: Scenario = {
  name: 'an order that was proven absent is shown after all',
  weight: 3,
  payments: ['DB', 'DB', 'PA', 'parts'],
  policy: () => ({ partialReversal: true }),
  direct: (harness) => {
    const { random, scheduler } = harness;
    const what = random.pick(['paid', 'pending', 'in doubt'] as const);
    const final = random.pick(['succeeded', 'rejected'] as const);
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        setFaults(harness, fields, { kind: 'accept_then_drop' }, { kind: 'visibility_lag', ms: HIDDEN });
        if (what === 'pending') setFaults(harness, fields, { kind: 'pending', final });
        if (what === 'in doubt')
          setFaults(harness, fields, { kind: 'comm_error', executed: false, recorded: true });
      },
      moved: (refundId, to) => {
        const absent = attemptsOf(harness, refundId).find(({ state }) => state === 'absent');
        if (to !== 'reserved' || absent === undefined) return;
        const reference = String(absent['reference']);
        for (const { id, visibleAt } of under(harness, reference))
          if (visibleAt > scheduler.now) harness.gateway.show({ id });
        // It is submitted again after five seconds; the notification, or a query, is quicker.
        scheduler.after(random.between(1, 500), () => harness.onNotification(reference));
      },
    };
  },
};

/** The same order is submitted again just when the first turns out paid: the gateway declines the second, and an operator is asked. */
export const superseded: Scenario = {
  name: 'a declined order turns out paid while the next is in progress',
  weight: 2,
  payments: ['DB', 'parts'],
  direct: (harness) => {
    const { random } = harness;
    let writes = 0;
    return {
      write: nthWrite(1, 2),
      atGateway: (fields) => {
        writes += 1;
        if (writes === 1) {
          setFaults(harness, fields, { kind: 'reject', code: random.pick(SOFT) });
          return;
        }
        const refund = harness.database.tables.rows.refunds[0];
        if (refund !== undefined) turnsOutPaid(harness, String(refund['id']));
        // Nothing is left to refund there. The answer comes later than the notification, or never.
        setFaults(
          harness,
          fields,
          { kind: 'reject', code: '700.400.200' },
          random.pick([
            { kind: 'answer_after', ms: random.between(4_000, 60_000) },
            { kind: 'accept_then_drop', dropAfterMs: 20_000 },
          ] as const),
        );
      },
    };
  },
};

/** The answer leaves the outcome open and names the transaction. Queries show the transaction by its id alone. */
export const knownByIdAlone: Scenario = {
  name: 'an executed order is shown only by the id from its doubtful answer',
  weight: 3,
  payments: ['DB'],
  // Hundredths. As much again is left at the gateway, so it would not decline a second order.
  asksFor: 1_000n,
  direct: (harness) => {
    const { random } = harness;
    const code = random.pick(['900.100.300', '900.200.100', '123.456.789', '999.999.999']);
    const httpStatus = random.pick([200, 400, 500, 503]);
    const executed = random.chance(0.8);
    const form = random.pick([undefined, undefined, 'no_result'] as const);
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        setFaults(
          harness,
          fields,
          { kind: 'comm_error', hasId: true, executed, code, httpStatus },
          { kind: 'by_id_only' },
          { kind: 'webhook', how: 'lost' },
        );
        if (form !== undefined) setFaults(harness, fields, { kind: 'broken_body', form });
      },
    };
  },
};

/**
 * The first submission was declined, and hidden for so long that it counted as absent. The second is executed, its answer is lost, and the
 * first query after it shows only the decline of the first.
 */
export const earlierDecline: Scenario = {
  name: 'a query shows the decline of an earlier submission before the success of the later one',
  weight: 3,
  payments: ['DB'],
  asksFor: 1_000n,
  direct: (harness) => {
    const { random, scheduler } = harness;
    const code = random.pick(SOFT);
    let writes = 0;
    return {
      write: nthWrite(1, 2),
      atGateway: (fields) => {
        writes += 1;
        setFaults(harness, fields, { kind: 'accept_then_drop' }, { kind: 'webhook', how: 'lost' });
        if (writes === 1) {
          setFaults(harness, fields, { kind: 'reject', code }, { kind: 'visibility_lag', ms: HIDDEN });
          return;
        }
        setFaults(harness, fields, { kind: 'visibility_lag', ms: LIMITS.visibilityLag });
        for (const { id, visibleAt } of under(harness, fields['merchantTransactionId']))
          if (visibleAt > scheduler.now) harness.gateway.show({ id });
      },
    };
  },
};

/** A refund was returned and is paid again: as soon as the return is known, or without a notification before an operator withdraws it. */
export const paidAgain: Scenario = {
  name: 'a returned refund is paid again, at once or before it is withdrawn',
  weight: 5,
  payments: ['DB', 'DB', 'parts'],
  direct: (harness) => {
    const { random, scheduler } = harness;
    const isAtOnce = random.chance(0.4);
    let isToCome = true;
    return {
      moved: (refundId, to) => {
        if (to === 'succeeded' && isToCome) {
          isToCome = false;
          scheduler.after(random.spread(1_000, 6 * HOUR), () => returnPaid(harness, refundId));
        }
        if (to === 'returned' && isAtOnce)
          scheduler.after(0, () => paidOnceMoreAndReported(harness, refundId));
        if (to !== 'manual_review' || isAtOnce) return;
        const at = random.spread(1_000, 6 * HOUR);
        scheduler.after(at, () => paidOnceMore(harness, refundId));
        scheduler.after(at + random.between(1, MINUTE), () =>
          sendCommand(harness, refundId, withdrawUpdate.name, { by: 'operator', reason: 'no longer wanted' }),
        );
      },
    };
  },
};

/** Both parts of a refund were returned, and one is paid again before the run has asked an operator. */
export const partPaidAgain: Scenario = {
  name: 'all parts were returned, and one is paid again at once',
  weight: 3,
  payments: ['parts'],
  direct: (harness) => {
    const { random, scheduler } = harness;
    let isToCome = true;
    /** Waits for the returns of all parts for two seconds at most: one that is paid meanwhile is never returned. */
    const paidWhenAllReturned = (refundId: string, polls = 100): void => {
      const states = attemptsOf(harness, refundId).map(({ state }) => state);
      if (states.every((state) => state === 'returned')) paidOnceMoreAndReported(harness, refundId);
      else if (states.includes('returned') && polls > 0)
        scheduler.after(20, () => paidWhenAllReturned(refundId, polls - 1));
    };
    return {
      // The run is slow to ask.
      ledger: (call) => (call === 'openCase' ? 'slow' : undefined),
      moved: (refundId, to) => {
        if (to === 'succeeded' && isToCome) {
          isToCome = false;
          scheduler.after(random.spread(1_000, HOUR), () => returnPaid(harness, refundId, 'all'));
        }
        if (to === 'returned') scheduler.after(0, () => paidWhenAllReturned(refundId));
      },
    };
  },
};

function paidOnceMoreAndReported(harness: Harness, refundId: string): void {
  const reference = paidOnceMore(harness, refundId);
  if (reference !== undefined) harness.onNotification(reference);
}
