/** Courses in which the gateway's word was not the truth: a refusal that had paid, an absence that was none. */
import { withdrawUpdate } from '../../../workflows/refund/contract.js';
import {
  attemptsOf,
  capturesOf,
  recordReturn,
  decide,
  FINAL,
  HIDDEN,
  NOT_LINKABLE,
  nthWrite,
  paidOnceMore,
  config,
  print,
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

/** What was refused turns out paid before anything else was sent: while it waits, or while a credit is weighed. */
export const paidAfterAll: Scenario = {
  name: 'what was refused turns out paid before the next order',
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
      atGateway: (fields) => config(harness, fields, { kind: 'reject', code }),
      moved: (refundId, to) => {
        const at = moment === 'rejected' || moment === 'before credit' ? 'rejected' : 'awaiting_approval';
        if (to !== at || !isToCome) return;
        isToCome = false;
        const isSilent = moment === 'before credit' || moment === 'before approval';
        // Sooner than anything is sent again: from then on it could be paid twice.
        const after = moment === 'rejected' ? random.spread(10, 8 * MINUTE) : 0;
        scheduler.after(after, () => turnsOutPaid(harness, refundId, isSilent ? 'silently' : 'reported'));
        if (moment === 'before approval')
          scheduler.after(random.spread(100, HOUR), () => decide(harness, refundId, 'approved'));
      },
    };
  },
};

/** The refund has ended unpaid, and then it turns out paid, all of it or a part. */
export const paidAfterTheEnd: Scenario = {
  name: 'what was refused turns out paid after the end',
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
        config(harness, fields, { kind: 'reject', code: code[end] });
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
            print(harness, refundId, withdrawUpdate.name, { by: 'operator', reason: 'no longer wanted' }),
          );
        if (to !== end) return;
        const at = random.spread(100, DAY);
        // After a refund elsewhere the gateway pays nothing more before that has come back.
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

/** Look-ups show an order later than they may: it was proven absent before. Shown just before it would be sent again. */
export const absentTooEarly: Scenario = {
  name: 'what was proven absent is shown after all',
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
        config(harness, fields, { kind: 'accept_then_drop' }, { kind: 'visibility_lag', ms: HIDDEN });
        if (what === 'pending') config(harness, fields, { kind: 'pending', final });
        if (what === 'in doubt')
          config(harness, fields, { kind: 'comm_error', executed: false, recorded: true });
      },
      moved: (refundId, to) => {
        const absent = attemptsOf(harness, refundId).find(({ state }) => state === 'absent');
        if (to !== 'reserved' || absent === undefined) return;
        const reference = String(absent['reference']);
        for (const { id, visibleAt } of under(harness, reference))
          if (visibleAt > scheduler.now) harness.gateway.show({ id });
        // It is sent again after five seconds; the notice, or whoever has looked, is quicker.
        scheduler.after(random.between(1, 500), () => harness.onNotification(reference));
      },
    };
  },
};

/** The same is sent again just when the first turns out paid: the gateway refuses the second, and a person looks. */
export const superseded: Scenario = {
  name: 'what was refused turns out paid while the next is under way',
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
          config(harness, fields, { kind: 'reject', code: random.pick(SOFT) });
          return;
        }
        const refund = harness.database.tables.rows.refunds[0];
        if (refund !== undefined) turnsOutPaid(harness, String(refund['id']));
        // Nothing is left to refund there. Its answer comes later than the notice, or never.
        config(
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

/** The answer leaves the outcome open and names the transaction, which queries show by its id alone. */
export const knownByIdAlone: Scenario = {
  name: 'an executed order is shown by the id that its doubtful answer had, and by nothing else',
  weight: 3,
  payments: ['DB'],
  // Hundredths. The gateway has as much left again: it would not refuse a second one.
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
        config(
          harness,
          fields,
          { kind: 'comm_error', hasId: true, executed, code, httpStatus },
          { kind: 'by_id_only' },
          { kind: 'webhook', how: 'lost' },
        );
        if (form !== undefined) config(harness, fields, { kind: 'broken_body', form });
      },
    };
  },
};

/**
 * The first submission was declined, hidden for longer than it may be, and so taken for absent. Of the second, which is executed, the
 * answer is lost, and the first query of it shows the decline of the first alone.
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
        config(harness, fields, { kind: 'accept_then_drop' }, { kind: 'webhook', how: 'lost' });
        if (writes === 1) {
          config(harness, fields, { kind: 'reject', code }, { kind: 'visibility_lag', ms: HIDDEN });
          return;
        }
        config(harness, fields, { kind: 'visibility_lag', ms: LIMITS.visibilityLag });
        for (const { id, visibleAt } of under(harness, fields['merchantTransactionId']))
          if (visibleAt > scheduler.now) harness.gateway.show({ id });
      },
    };
  },
};

/** A refund came back and is paid again: as soon as that is known, or without a notification before an operator withdraws it. */
export const paidAgain: Scenario = {
  name: 'what came back is paid again, at once or before it is withdrawn',
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
          scheduler.after(random.spread(1_000, 6 * HOUR), () => recordReturn(harness, refundId));
        }
        if (to === 'returned' && isAtOnce)
          scheduler.after(0, () => paidOnceMoreAndReported(harness, refundId));
        if (to !== 'manual_review' || isAtOnce) return;
        const at = random.spread(1_000, 6 * HOUR);
        scheduler.after(at, () => paidOnceMore(harness, refundId));
        scheduler.after(at + random.between(1, MINUTE), () =>
          print(harness, refundId, withdrawUpdate.name, { by: 'operator', reason: 'no longer wanted' }),
        );
      },
    };
  },
};

/** Both parts of a refund came back, and one is paid again before the run has asked an operator. */
export const partPaidAgain: Scenario = {
  name: 'all parts came back, and one is paid again at once',
  weight: 3,
  payments: ['parts'],
  direct: (harness) => {
    const { random, scheduler } = harness;
    let isToCome = true;
    const paidWhenAllReturned = (refundId: string): void => {
      const states = attemptsOf(harness, refundId).map(({ state }) => state);
      if (states.every((state) => state === 'returned')) paidOnceMoreAndReported(harness, refundId);
      else if (states.includes('returned')) scheduler.after(20, () => paidWhenAllReturned(refundId));
    };
    return {
      // The run is slow to ask.
      ledger: (call) => (call === 'openCase' ? 'slow' : undefined),
      moved: (refundId, to) => {
        if (to === 'succeeded' && isToCome) {
          isToCome = false;
          scheduler.after(random.spread(1_000, HOUR), () => recordReturn(harness, refundId, 'all'));
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
