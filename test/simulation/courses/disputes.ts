/** Courses around chargebacks: one that is won in part, lost again or unclear before a credit, and one that an old query shows. */
import type { Course } from '../world/course.js';
import { chargeBackAnyhow, happens } from '../world/chargebacks.js';
import { NOT_LINKABLE, nthWrite, plan, showAll } from './acts.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The refund is declined so that a credit may follow, and by then the payment has a chargeback with all that may follow one. */
export const disputedBeforeCredit: Course = {
  name: 'a chargeback, and what follows it, before a credit',
  weight: 10,
  payments: ['DB', 'DB', 'captured'],
  policy: () => ({ creditEnabled: true }),
  direct: (world) => {
    const code = world.random.pick(NOT_LINKABLE);
    // At once, or some of it while the refund is under way.
    const within = world.random.pick([0, 0, 0, 30_000, HOUR]);
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        const { payment } = world;
        plan(world, fields, { kind: 'reject', code });
        chargeBackAnyhow(world, payment.created.captureIds[0] ?? payment.id, within);
        showAll(world);
      },
    };
  },
};

/**
 * A process has queried the payment and is stopped before it stores what it saw. Meanwhile a chargeback is won, or a capture is made, and
 * both are stored; then the process goes on.
 */
export const outdatedQuery: Course = {
  name: 'an older query is stored after a newer one',
  weight: 6,
  payments: ['DB', 'PA'],
  policy: () => ({ creditEnabled: true }),
  direct: (world) => {
    const { random, scheduler } = world;
    const code = random.pick(NOT_LINKABLE);
    let chargebackId: string | undefined;
    let isToCome = true;
    const meanwhile = (): void =>
      happens(world, 'what an earlier query showed changes', () => {
        const { gateway, payment } = world;
        if (chargebackId !== undefined) gateway.reverseChargeback(chargebackId);
        else gateway.capture({ paymentId: payment.id, amount: payment.toHundredths(payment.minor) });
      });
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        const { gateway, payment } = world;
        plan(world, fields, { kind: 'reject', code: payment.type === 'PA' ? '700.400.300' : code });
        if (payment.type === 'DB')
          happens(world, 'chargeback', () => {
            chargebackId = gateway.chargeback({ paymentId: payment.id }).id;
          });
      },
      ledger: (call) => {
        if (call !== 'applyFinding' || !isToCome) return undefined;
        isToCome = false;
        scheduler.after(random.spread(MINUTE / 6, 2 * MINUTE), meanwhile);
        return 'freeze_before';
      },
      freezeMs: () => random.between(10 * MINUTE, HOUR),
    };
  },
};
