/** A course in which the customer gets money from outside, all of a refund or a part of it, and then the refund is declined. */
import { happens } from '../world/chargebacks.js';
import type { Course } from '../world/course.js';
import type { World } from '../world/world.js';
import { nthWrite, plan, UNCLEAR } from './acts.js';

const HOUR = 3_600_000;

/** Of what was captured: the part, and of how many. */
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

/** A chargeback or a refund in the portal has come by the time of a decline that may mean that the customer has the money. */
export const settledOutside: Course = {
  name: 'money from outside, and a decline that may mean just that',
  weight: 8,
  payments: ['DB', 'DB', 'captured'],
  direct: (world) => {
    const { random, scheduler } = world;
    const code = random.pick(UNCLEAR);
    const { chargedBack, refunded } = random.pick<Outside>(PARTS);
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        const { gateway } = world;
        plan(world, fields, { kind: 'reject', code });
        for (const paymentId of captured(world)) {
          if (refunded !== undefined)
            happens(world, 'portal refund before a decline', () => {
              gateway.refundInPortal({ paymentId, amount: partOf(world, paymentId, refunded) });
            });
          if (chargedBack !== undefined)
            happens(world, 'chargeback before a decline', () => {
              const { id } = gateway.chargeback({
                paymentId,
                amount: partOf(world, paymentId, chargedBack),
              });
              if (random.chance(0.3))
                scheduler.after(random.spread(1_000, 12 * HOUR), () =>
                  happens(world, 'it is won back', () => void gateway.reverseChargeback(id)),
                );
            });
        }
        // What a lag hides is not known to anybody yet.
        for (const { id, visibleAt } of gateway.transactions())
          if (visibleAt > scheduler.now) gateway.show({ id });
      },
    };
  },
};

const captured = ({ payment }: World): readonly string[] =>
  payment.created.captureIds.length > 0 ? payment.created.captureIds : [payment.id];

function partOf({ gateway, payment }: World, id: string, [part, of]: Part): bigint {
  const whole = gateway.transactions().find((found) => found.id === id)?.amount ?? 0n;
  return payment.toHundredths(payment.roundDown((payment.toMinor(whole) * part) / of));
}
