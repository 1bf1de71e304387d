/** Scenarios around chargebacks: partly won, lost again or unclear before a credit, or shown by an outdated query. */
import type { Scenario } from '../harness/scenario.js';
import { chargeBackAnyhow, happens } from '../harness/chargebacks.js';
import { NOT_LINKABLE, nthWrite, setFaults, showAll } from './acts.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The refund is declined so that a credit may follow. By then the payment has a chargeback and any events that may follow one. */
export const disputedBeforeCredit: Scenario = {
  name: 'a chargeback and its reversals before a credit',
  weight: 10,
  payments: ['DB', 'DB', 'captured'],
  policy: () => ({ creditEnabled: true }),
  direct: (harness) => {
    const code = harness.random.pick(NOT_LINKABLE);
    // At once, or some of it while the refund is under way.
    const within = harness.random.pick([0, 0, 0, 30_000, HOUR]);
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        const { payment } = harness;
        setFaults(harness, fields, { kind: 'reject', code });
        chargeBackAnyhow(harness, payment.created.captureIds[0] ?? payment.id, within);
        showAll(harness);
      },
    };
  },
};

/**
 * A process has queried the payment and is stopped before it stores the result. Meanwhile a chargeback is won, or a capture is made, and
 * both are stored; then the process resumes.
 */
export const outdatedQuery: Scenario = {
  name: 'an older query is stored after a newer one',
  weight: 6,
  payments: ['DB', 'PA'],
  policy: () => ({ creditEnabled: true }),
  direct: (harness) => {
    const { random, scheduler } = harness;
    const code = random.pick(NOT_LINKABLE);
    let chargebackId: string | undefined;
    let isToCome = true;
    const meanwhile = (): void =>
      happens(harness, 'the result of an earlier query changes', () => {
        const { gateway, payment } = harness;
        if (chargebackId !== undefined) gateway.reverseChargeback(chargebackId);
        else gateway.capture({ paymentId: payment.id, amount: payment.toHundredths(payment.minor) });
      });
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        const { gateway, payment } = harness;
        setFaults(harness, fields, { kind: 'reject', code: payment.type === 'PA' ? '700.400.300' : code });
        if (payment.type === 'DB')
          happens(harness, 'chargeback', () => {
            chargebackId = gateway.chargeback({ paymentId: payment.id }).id;
          });
      },
      ledger: (call) => {
        if (call !== 'applyReconciliation' || !isToCome) return undefined;
        isToCome = false;
        scheduler.after(random.spread(MINUTE / 6, 2 * MINUTE), meanwhile);
        return 'freeze_before';
      },
      freezeMs: () => random.between(10 * MINUTE, HOUR),
    };
  },
};
