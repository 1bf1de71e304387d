/** Scenarios in which the customer gets money from outside, all of a refund or a part of it, and then the refund is declined. */
import { happens } from '../harness/chargebacks.js';
import type { Scenario } from '../harness/scenario.js';
import type { Harness } from '../harness/harness.js';
import { capturesOf, NOT_LINKABLE, nthWrite, setFaults, showAll, UNCLEAR } from './acts.js';

const HOUR = 3_600_000;

/** A part of the captured amount: numerator and denominator. */
type Part = readonly [bigint, bigint];

interface Outside {
  readonly chargedBack?: Part;
  readonly refunded?: Part;
}

const PARTS: readonly [Outside, ...Outside[]] = [
  { chargedBack: [1n, 5n] },
  { chargedBack: [1n, 2n] },
  { chargedBack: [1n, 1n] },
  { refunded: [1n, 4n] },
  { refunded: [1n, 1n] },
  { refunded: [1n, 1n] },
  { chargedBack: [1n, 5n], refunded: [1n, 4n] },
];

/** A chargeback or a portal refund has happened by the time of a decline that may mean that the customer has the money. */
export const settledOutside: Scenario = {
  name: 'money from outside, and a decline that may mean just that',
  weight: 8,
  payments: ['DB', 'DB', 'captured'],
  direct: (harness) => {
    const { random, scheduler } = harness;
    const code = random.pick(UNCLEAR);
    const { chargedBack, refunded } = random.pick<Outside>(PARTS);
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        const { gateway } = harness;
        setFaults(harness, fields, { kind: 'reject', code });
        for (const paymentId of capturesOf(harness)) {
          if (refunded !== undefined)
            happens(harness, 'portal refund before a decline', () => {
              gateway.refundInPortal({ paymentId, amount: partOf(harness, paymentId, refunded) });
            });
          if (chargedBack !== undefined)
            happens(harness, 'chargeback before a decline', () => {
              const { id } = gateway.chargeback({
                paymentId,
                amount: partOf(harness, paymentId, chargedBack),
              });
              if (random.chance(0.3))
                scheduler.after(random.spread(1_000, 12 * HOUR), () =>
                  happens(harness, 'it is won back', () => void gateway.reverseChargeback(id)),
                );
            });
        }
        showAll(harness);
      },
    };
  },
};

/** All of it is refunded in the portal while its credit waits for approval. */
export const settledBeforeApproval: Scenario = {
  name: 'a refund elsewhere while a credit waits for approval',
  weight: 3,
  payments: ['DB', 'captured'],
  policy: () => ({ creditEnabled: true, creditApprovalAbove: {} }),
  direct: (harness) => {
    const { random, scheduler } = harness;
    const code = random.pick(NOT_LINKABLE);
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        // The gateway shows it with its capture only, so only a query of each capture finds it.
        if (harness.payment.type === 'PA') harness.gateway.changeSettings({ captureLinks: 'apart' });
        setFaults(harness, fields, { kind: 'reject', code });
      },
      moved: (refundId, to) => {
        if (to !== 'awaiting_approval') return;
        scheduler.after(random.spread(1_000, HOUR), () => {
          const { refunds } = harness.database.tables.rows;
          // Once the credit may be under way the customer would have both.
          if (refunds.find(({ id }) => id === refundId)?.['state'] !== 'awaiting_approval') return;
          for (const paymentId of capturesOf(harness))
            happens(harness, 'portal refund before an approval', () => {
              harness.gateway.refundInPortal({ paymentId, amount: partOf(harness, paymentId, [1n, 1n]) });
            });
          showAll(harness);
        });
      },
    };
  },
};

function partOf({ gateway, payment }: Harness, id: string, [part, of]: Part): bigint {
  const whole = gateway.transactions().find((found) => found.id === id)?.amount ?? 0n;
  return payment.toHundredths(payment.roundDown((payment.toMinor(whole) * part) / of));
}
