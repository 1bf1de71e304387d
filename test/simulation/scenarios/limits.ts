/** A scenario around the limit above which a credit needs an approver: the amount is split into credits, each of them within the limit. */
import { startRefund } from '../simulation-run.js';
import type { Scenario } from '../harness/scenario.js';
import { accept, drawOrder } from '../harness/orders.js';
import { NOT_LINKABLE, setFaults } from './acts.js';

const MINUTE = 60_000;
/** Hundredths: the whole limit, so that a second credit exceeds it. */
const SHARE = 1_500n;

/** Part after part of one payment is requested, and none can be refunded. The requester's name is written in several ways. */
export const split: Scenario = {
  name: 'an amount above the limit is split',
  weight: 4,
  payments: ['DB', 'captured'],
  policy: () => ({ creditEnabled: true, creditApprovalAbove: { EUR: '1500', JPY: '15', KWD: '15000' } }),
  asksFor: SHARE,
  direct: (harness) => {
    const { random, scheduler } = harness;
    const code = random.pick(NOT_LINKABLE);
    const pieces = random.between(2, 4);
    const seen = new Set<string>();
    const askForMore = async (): Promise<void> => {
      const { order, ...asked } = drawOrder(harness, 0n, seen.size, harness.payment.toMinor(SHARE));
      const requestedBy = random.pick(['asker', 'ASKER', 'as\u200bker']);
      const acceptance = await accept(harness, { ...asked, order: { ...order, requestedBy } });
      if ('refundId' in acceptance) startRefund(harness, acceptance.refundId);
    };
    return {
      write: () => 'gateway',
      atGateway: (fields) => {
        if (fields['paymentType'] === 'RF') setFaults(harness, fields, { kind: 'reject', code });
      },
      moved: (refundId, to) => {
        if ((to !== 'succeeded' && to !== 'rejected') || seen.has(refundId) || seen.size >= pieces) return;
        seen.add(refundId);
        scheduler.after(random.spread(MINUTE, 5 * MINUTE), () => void askForMore());
      },
    };
  },
};
