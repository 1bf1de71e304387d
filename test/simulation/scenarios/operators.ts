/** Courses that persons decide: a signed word that nothing was paid, an approval refused, a destination that somebody has to name. */
import { confirmUpdate, correctUpdate, changeDestinationUpdate } from '../../../workflows/refund/contract.js';
import { happens } from '../harness/chargebacks.js';
import type { Scenario } from '../harness/scenario.js';
import type { Harness } from '../harness/harness.js';
import { decide, HIDDEN, NOT_LINKABLE, NOT_OWED, nthWrite, config, print, showAll } from './acts.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The acquirer says in writing that an order never paid, before look-ups have proven it: two persons sign that. */
export const signedUnpaid: Scenario = {
  name: 'persons sign that an open order never paid',
  weight: 3,
  payments: ['DB', 'DB', 'parts'],
  direct: (harness) => {
    const { random, scheduler } = harness;
    const signedIn = random.pick(['unknown', 'pending', 'manual_review'] as const);
    const first = signedIn === 'pending' ? 'pending' : 'unknown';
    let isToCome = true;
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        if (signedIn === 'pending')
          config(
            harness,
            fields,
            { kind: 'pending', final: 'rejected', afterMs: 10 * MINUTE },
            // Only the letter tells.
            { kind: 'visibility_lag', ms: HIDDEN },
          );
        else config(harness, fields, { kind: 'drop_before_execute' });
      },
      moved: (refundId, to) => {
        if (to === first && isToCome) {
          isToCome = false;
          // Late enough for the letter to be believed, and before look-ups prove absence themselves.
          scheduler.after(random.between(17 * MINUTE, 70 * MINUTE), () =>
            print(harness, refundId, correctUpdate.name, UNPAID, () => {
              if (signedIn !== 'manual_review')
                scheduler.after(random.spread(1_000, 3 * HOUR), () => confirm(harness, refundId));
            }),
          );
        }
        if (to === 'manual_review' && signedIn === to)
          scheduler.after(random.spread(1_000, 12 * HOUR), () => confirm(harness, refundId));
      },
    };
  },
};

const UNPAID = {
  outcome: 'failed',
  evidence: 'the acquirer never had it',
  by: 'operator',
  reason: 'letter',
} as const;

function confirm(harness: Harness, refundId: string): void {
  const proposal = harness.database.tables.rows.command_results.find(
    (row) => row['refund_id'] === refundId && row['state'] === 'open',
  );
  if (proposal === undefined) return;
  const { instruction } = proposal;
  print(harness, refundId, confirmUpdate.name, {
    verdict: 'approved',
    instruction,
    by: 'approver',
    reason: 'seen the letter',
  });
}

/** Nothing was owed by the decline, but for a chargeback; when that is won an operator names another destination all the same. */
export const nothingOwed: Scenario = {
  name: 'an operator names a destination for what the gateway says is not owed',
  weight: 3,
  payments: ['DB'],
  policy: () => ({ creditEnabled: true }),
  direct: (harness) => {
    const { random, scheduler } = harness;
    const code = random.pick(NOT_OWED);
    let chargebackId: string | undefined;
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        config(harness, fields, { kind: 'reject', code });
        // Once it is declined: the gateway declines what is disputed for that.
        scheduler.after(1, () => {
          happens(harness, 'chargeback pending', () => {
            const paymentId = harness.payment.id;
            chargebackId = harness.gateway.chargeback({ paymentId, amount: 500n, state: 'pending' }).id;
          });
          showAll(harness);
        });
      },
      moved: (refundId, to) => {
        if (to !== 'manual_review' || chargebackId === undefined) return;
        const won = chargebackId;
        chargebackId = undefined;
        const at = random.spread(1_000, HOUR);
        scheduler.after(at, () =>
          happens(harness, 'it is won back', () => void harness.gateway.reverseChargeback(won)),
        );
        scheduler.after(at + random.between(MINUTE, HOUR), () =>
          print(harness, refundId, changeDestinationUpdate.name, {
            registrationId: harness.otherRegistrationId,
            by: 'operator',
            reason: 'asked by the customer',
          }),
        );
      },
    };
  },
};

/** One capture is refunded, the credit of the rest is not approved: a person decides about it. */
export const partRefused: Scenario = {
  name: 'the credit of the rest is not approved',
  weight: 2,
  payments: ['parts'],
  policy: () => ({ creditEnabled: true, creditApprovalAbove: {} }),
  direct: (harness) => {
    const { random, scheduler } = harness;
    const code = random.pick(NOT_LINKABLE);
    return {
      write: nthWrite(2),
      atGateway: (fields) => config(harness, fields, { kind: 'reject', code }),
      moved: (refundId, to) => {
        // Where this one is not the first, chance has somebody else decide.
        if (to === 'awaiting_approval' && random.chance(0.7))
          scheduler.after(random.spread(100, HOUR), () => decide(harness, refundId, 'refused'));
      },
    };
  },
};

/** The payment shows no registration: where a credit should go, somebody has to say. */
export const unregistered: Scenario = {
  name: 'a credit has no destination until a person names one',
  weight: 2,
  payments: ['unregistered'],
  policy: () => ({ creditEnabled: true }),
  direct: (harness) => {
    const code = harness.random.pick(NOT_LINKABLE);
    return {
      write: nthWrite(1),
      atGateway: (fields) => config(harness, fields, { kind: 'reject', code }),
    };
  },
};
