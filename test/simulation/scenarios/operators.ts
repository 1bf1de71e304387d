/** Scenarios that operators decide: a signed correction to unpaid, a refused approval, a destination that an operator has to name. */
import { confirmUpdate, correctUpdate, changeDestinationUpdate } from '../../../workflows/refund/contract.js';
import { happens } from '../harness/chargebacks.js';
import type { Scenario } from '../harness/scenario.js';
import type { Harness } from '../harness/harness.js';
import { decide, HIDDEN, NOT_LINKABLE, NOT_OWED, nthWrite, setFaults, sendCommand, showAll } from './acts.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The acquirer states in writing that an order never paid, before queries have proven it: two operators record that. */
export const signedUnpaid: Scenario = {
  name: 'operators record that an open order never paid',
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
          setFaults(
            harness,
            fields,
            { kind: 'pending', final: 'rejected', afterMs: 10 * MINUTE },
            // Only the acquirer's letter reports it.
            { kind: 'visibility_lag', ms: HIDDEN },
          );
        else setFaults(harness, fields, { kind: 'drop_before_execute' });
      },
      moved: (refundId, to) => {
        if (to === first && isToCome) {
          isToCome = false;
          // Late enough for the letter to be accepted, and before queries prove absence themselves.
          scheduler.after(random.between(17 * MINUTE, 70 * MINUTE), () =>
            sendCommand(harness, refundId, correctUpdate.name, UNPAID, () => {
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
  evidence: 'the acquirer never received it',
  by: 'operator',
  reason: 'letter',
} as const;

function confirm(harness: Harness, refundId: string): void {
  const proposal = harness.database.tables.rows.command_results.find(
    (row) => row['refund_id'] === refundId && row['state'] === 'open',
  );
  if (proposal === undefined) return;
  const { instruction } = proposal;
  sendCommand(harness, refundId, confirmUpdate.name, {
    verdict: 'approved',
    instruction,
    by: 'approver',
    reason: 'seen the letter',
  });
}

/** By the decline nothing was owed, except for a chargeback. When that is won, an operator names another destination all the same. */
export const nothingOwed: Scenario = {
  name: 'an operator names a destination although the gateway reports that nothing is owed',
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
        setFaults(harness, fields, { kind: 'reject', code });
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
          sendCommand(harness, refundId, changeDestinationUpdate.name, {
            registrationId: harness.otherRegistrationId,
            by: 'operator',
            reason: 'asked by the customer',
          }),
        );
      },
    };
  },
};

/** One capture is refunded, and the credit of the rest is not approved: an operator decides about it. */
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
      atGateway: (fields) => setFaults(harness, fields, { kind: 'reject', code }),
      moved: (refundId, to) => {
        // If this is not the first approval, chance draws the decision.
        if (to === 'awaiting_approval' && random.chance(0.7))
          scheduler.after(random.spread(100, HOUR), () => decide(harness, refundId, 'refused'));
      },
    };
  },
};

/** The payment shows no registration: an operator has to name the destination of a credit. */
export const unregistered: Scenario = {
  name: 'a credit has no destination until an operator names one',
  weight: 2,
  payments: ['unregistered'],
  policy: () => ({ creditEnabled: true }),
  direct: (harness) => {
    const code = harness.random.pick(NOT_LINKABLE);
    return {
      write: nthWrite(1),
      atGateway: (fields) => setFaults(harness, fields, { kind: 'reject', code }),
    };
  },
};
