/** Courses in which two things happen at once: two processes, a proof and what spoils it, a reversal and a capture. */
import { isFinal } from '../../../domain/refund/states.js';
import { startRefund } from '../simulation-run.js';
import type { Scenario } from '../harness/scenario.js';
import { LIMITS } from '../harness/config.js';
import { chargeBack, recordReturn, NOT_LINKABLE, nthWrite, config, UNCLEAR } from './acts.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * The first process with something to send is stopped for hours; who sends again in its place gets no answer. So its own answer,
 * that nothing was sent, comes while another's is open.
 */
export const stubborn: Scenario = {
  name: 'a stopped process answers for an order that another one has sent',
  weight: 6,
  asksForAnything: true,
  direct: (harness) => {
    const { random } = harness;
    let writes = 0;
    return {
      write: () => {
        writes += 1;
        return writes === 1 ? 'freeze_before' : writes === 2 ? 'gateway' : undefined;
      },
      atGateway: (fields) =>
        config(
          harness,
          fields,
          { kind: 'accept_then_drop' },
          { kind: 'visibility_lag', ms: LIMITS.visibilityLag },
        ),
      // About when look-ups have proven absence, and another process has sent again.
      freezeMs: () => random.between(350 * MINUTE, 400 * MINUTE),
    };
  },
};

/** One of two runs has gone on to a person when the other, which is slow, sees that the money was charged back. */
export const twoRuns: Scenario = {
  name: 'a slow run sees a chargeback when another has asked a person',
  weight: 3,
  payments: ['DB'],
  // Approval is asked for, or a credit is not to be had: both are a person's.
  policy: (random) => ({ creditEnabled: random.chance(0.6), creditApprovalAbove: {} }),
  direct: (harness) => {
    const { random, scheduler } = harness;
    const code = random.pick(NOT_LINKABLE);
    let reads = 0;
    let isToCome = true;
    return {
      write: nthWrite(1),
      atGateway: (fields) => config(harness, fields, { kind: 'reject', code }),
      read: () => {
        reads += 1;
        return reads === 2 ? 'freeze_before' : undefined;
      },
      // Not for so long that its server would let another process do the same.
      freezeMs: () => random.between(500, 9_000),
      moved: (refundId, to) => {
        if (to === 'rejected') scheduler.after(0, () => startRefund(harness, refundId, 'second'));
        if ((to !== 'awaiting_approval' && to !== 'manual_review') || !isToCome) return;
        isToCome = false;
        chargeBack(harness);
      },
    };
  },
};

/** What a credit is weighed with is a second old: a chargeback was recorded since, or a part that had been paid has come back. */
export const staleProof: Scenario = {
  name: 'what a credit is weighed with is older than what the ledger knows',
  weight: 3,
  payments: ['DB', 'parts'],
  policy: () => ({ creditEnabled: true }),
  direct: (harness) => {
    const code = harness.random.pick(NOT_LINKABLE);
    // A payment of one capture has no part that could come back.
    const isOfParts = (): boolean => harness.payment.created.captureIds.length > 1;
    let writes = 0;
    let isToCome = true;
    return {
      write: () => {
        writes += 1;
        return writes === (isOfParts() ? 2 : 1) ? 'gateway' : undefined;
      },
      atGateway: (fields) => config(harness, fields, { kind: 'reject', code }),
      ledger: (call) => {
        if (call !== 'openCredit' || !isToCome) return undefined;
        isToCome = false;
        const refund = harness.database.tables.rows.refunds[0];
        if (isOfParts() && refund !== undefined) recordReturn(harness, String(refund['id']));
        else chargeBack(harness);
        return 'slow';
      },
    };
  },
};

/** The shop captures what is about to be reversed: the reversal is refused, and a refund is possible after all. */
export const capturedMeanwhile: Scenario = {
  name: 'what was to be reversed is captured',
  weight: 4,
  payments: ['PA'],
  direct: (harness) => {
    const { random } = harness;
    const tenths = random.pick<readonly bigint[]>([[10n], [7n], [6n], [1n], [3n, 4n], [2n, 2n, 6n]]);
    const settings = { reversalAfterCapture: random.chance(0.7), reversalShowsAmount: random.chance(0.5) };
    let isToCome = true;
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        const { gateway, payment, trace } = harness;
        // The shop may have captured by chance already.
        const isCaptured = gateway.transactions().some(({ type }) => type === 'CP');
        if (fields['paymentType'] !== 'RV' || !isToCome || isCaptured) return;
        isToCome = false;
        gateway.changeSettings(settings);
        for (const tenth of tenths) {
          const amount = payment.toHundredths(payment.roundDown((payment.minor * tenth) / 10n));
          trace.note('outside', `the shop captures ${amount} hundredths`);
          gateway.capture({ paymentId: payment.id, amount });
        }
        harness.watchGateway();
      },
    };
  },
};

/** No query of the payment can be read, until an operator is asked and some hours longer: then the refund goes on by itself. */
export const unreadablePayment: Scenario = {
  name: 'the payment cannot be read until an operator is asked',
  weight: 3,
  payments: ['DB', 'parts'],
  policy: () => ({ creditEnabled: true }),
  direct: (harness) => {
    const { random, scheduler } = harness;
    const code = random.pick([...NOT_LINKABLE, ...UNCLEAR]);
    const how = random.pick(['throttled', 'forbidden', 'no_result_code', 'too_many_pages'] as const);
    let closed: string | undefined;
    let isAsked = false;
    let isOver = false;
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        config(harness, fields, { kind: 'reject', code });
        closed = harness.gateway.setFault({ times: 'always', effect: { kind: 'query', how } });
        // The budget, one more wait between queries, and what people and processes take.
        scheduler.after(
          harness.config.timings.caseAfterUnknown + harness.config.timings.queryMax + HOUR,
          () => {
            if (!isAsked && !isOver)
              harness.failures.push('the payment cannot be read for ever, and no operator is asked');
          },
        );
      },
      moved: (_, to) => {
        // Withdrawn before: nobody has to be asked.
        if (isFinal(to)) isOver = true;
        if (to !== 'manual_review' || isAsked) return;
        isAsked = true;
        scheduler.after(random.spread(MINUTE, 6 * HOUR), () => void harness.gateway.clearFault(closed));
      },
    };
  },
};

/** Nobody can ask the gateway for half a day: a person is asked, and then it shows the order pending. */
export const queriesUnavailable: Scenario = {
  name: 'look-ups are refused until a person is asked',
  weight: 2,
  payments: ['DB', 'parts'],
  direct: (harness) => {
    const { random, scheduler } = harness;
    const final = random.pick(['succeeded', 'rejected'] as const);
    let closed: string | undefined;
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        config(harness, fields, { kind: 'pending', final }, { kind: 'accept_then_drop' });
        closed = harness.gateway.setFault({ times: 'always', effect: { kind: 'query', how: 'throttled' } });
      },
      moved: (_, to) => {
        if (to === 'manual_review')
          scheduler.after(random.spread(MINUTE, 6 * HOUR), () => void harness.gateway.clearFault(closed));
      },
    };
  },
};
