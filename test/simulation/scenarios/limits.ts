/** Scenarios around the limits above which a credit needs an approver: the amount is split into credits, each of them within the limit of one credit. */
import type { Policy } from '../../../domain/refund/config.js';
import { startRefund } from '../simulation-run.js';
import { accept, drawOrder } from '../harness/orders.js';
import type { Harness } from '../harness/harness.js';
import type { Direction, Scenario } from '../harness/scenario.js';
import { NOT_LINKABLE, setFaults } from './acts.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Hundredths: the whole limit, so that a second credit exceeds it. */
const SHARE = 1_500n;
const ONE_SHARE: Policy['creditApprovalAbove'] = { EUR: '1500', JPY: '15', KWD: '15000' };
const UNREACHED: Policy['creditApprovalAbove'] = { EUR: '99999999', JPY: '99999999', KWD: '99999999' };

/** Part after part of one payment is requested, and none can be refunded. The requester's name is written in several ways. */
function partAfterPart(harness: Harness, pauseMs: () => number): Direction {
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
      scheduler.after(pauseMs(), () => void askForMore().catch((error: unknown) => harness.fail(error)));
    },
  };
}

export const split: Scenario = {
  name: 'an amount above the limit is split',
  weight: 4,
  payments: ['DB', 'captured'],
  policy: () => ({ creditEnabled: true, creditApprovalAbove: ONE_SHARE }),
  asksFor: SHARE,
  direct: (harness) => partAfterPart(harness, () => harness.random.spread(MINUTE, 5 * MINUTE)),
};

/** Only the entity has a limit that the parts reach. They leave over hours or days: some of them within the window, some after it. */
export const splitOfEntity: Scenario = {
  name: "an amount above the entity's limit is split",
  weight: 4,
  payments: ['DB', 'captured'],
  policy: (random) => ({
    creditEnabled: true,
    creditApprovalAbove: ONE_SHARE,
    creditLimitPerPayment: UNREACHED,
    creditLimitPerDestination: UNREACHED,
    creditLimitPerRequester: UNREACHED,
    creditLimitPerEntity: ONE_SHARE,
    creditLimitWindowHours: random.pick([24, 72]),
  }),
  asksFor: SHARE,
  direct: (harness) => partAfterPart(harness, () => harness.random.spread(MINUTE, 40 * HOUR)),
};
