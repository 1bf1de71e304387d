/** Scenarios in which two things happen at once: two processes, a proof and a change that makes it outdated, a reversal and a capture. */
import { isFinal } from '../../../domain/refund/states.js';
import { startRefund } from '../simulation-run.js';
import type { Scenario } from '../harness/scenario.js';
import { LIMITS } from '../harness/config.js';
import { chargeBack, returnPaid, NOT_LINKABLE, nthWrite, setFaults, UNCLEAR } from './acts.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * The first process that submits is stopped for hours; the process that submits again in its place gets no answer. So the first one's result,
 * that nothing was sent, arrives while the second submission is open.
 */
export const stubborn: Scenario = {
  name: 'a stopped process reports on an order that another one has submitted',
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
        setFaults(
          harness,
          fields,
          { kind: 'accept_then_drop' },
          { kind: 'visibility_lag', ms: LIMITS.visibilityLag },
        ),
      // About when queries have proven absence, and another process has submitted again.
      freezeMs: () => random.between(350 * MINUTE, 400 * MINUTE),
    };
  },
};

/** One of two runs has asked an operator when the other, which is slow, sees that the money was charged back. */
export const twoRuns: Scenario = {
  name: 'a slow run sees a chargeback when another has asked an operator',
  weight: 3,
  payments: ['DB'],
  // Either approval is requested, or credits are not enabled: both need an operator.
  policy: (random) => ({ creditEnabled: random.chance(0.6), creditApprovalAbove: {} }),
  direct: (harness) => {
    const { random, scheduler } = harness;
    const code = random.pick(NOT_LINKABLE);
    let reads = 0;
    let isToCome = true;
    return {
      write: nthWrite(1),
      atGateway: (fields) => setFaults(harness, fields, { kind: 'reject', code }),
      read: () => {
        reads += 1;
        return reads === 2 ? 'freeze_before' : undefined;
      },
      // Short enough that the server does not give the same task to another process.
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

/** A credit's proof is a second old: since then a chargeback was recorded, or a paid part was returned. */
export const staleProof: Scenario = {
  name: 'the proof of a credit is older than what the ledger knows',
  weight: 3,
  payments: ['DB', 'parts'],
  policy: () => ({ creditEnabled: true }),
  direct: (harness) => {
    const code = harness.random.pick(NOT_LINKABLE);
    // A payment of one capture has no part that could be returned.
    const isOfParts = (): boolean => harness.payment.created.captureIds.length > 1;
    let writes = 0;
    let isToCome = true;
    return {
      write: () => {
        writes += 1;
        return writes === (isOfParts() ? 2 : 1) ? 'gateway' : undefined;
      },
      atGateway: (fields) => setFaults(harness, fields, { kind: 'reject', code }),
      ledger: (call) => {
        if (call !== 'openCredit' || !isToCome) return undefined;
        isToCome = false;
        const refund = harness.database.tables.rows.refunds[0];
        if (isOfParts() && refund !== undefined) returnPaid(harness, String(refund['id']));
        else chargeBack(harness);
        return 'slow';
      },
    };
  },
};

/** The shop captures what is about to be reversed: the reversal is declined, and then a refund is possible. */
export const capturedMeanwhile: Scenario = {
  name: 'the amount to be reversed is captured',
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

/** No query of the payment can be read until an operator is asked, and for some hours after. Then the refund continues by itself. */
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
        setFaults(harness, fields, { kind: 'reject', code });
        closed = harness.gateway.setFault({ times: 'always', effect: { kind: 'query', how } });
        // The budget, one more wait between queries, and the time that operators and processes take.
        scheduler.after(
          harness.config.timings.caseAfterUnknown + harness.config.timings.queryMax + HOUR,
          () => {
            if (!isAsked && !isOver)
              harness.failures.push('the payment cannot be read for ever, and no operator is asked');
          },
        );
      },
      moved: (_, to) => {
        // Withdrawn before: no operator has to be asked.
        if (isFinal(to)) isOver = true;
        if (to !== 'manual_review' || isAsked) return;
        isAsked = true;
        scheduler.after(random.spread(MINUTE, 6 * HOUR), () => void harness.gateway.clearFault(closed));
      },
    };
  },
};

/** No query reaches the gateway for half a day: an operator is asked, and then the gateway shows the order as pending. */
export const queriesUnavailable: Scenario = {
  name: 'queries fail until an operator is asked',
  weight: 2,
  payments: ['DB', 'parts'],
  direct: (harness) => {
    const { random, scheduler } = harness;
    const final = random.pick(['succeeded', 'rejected'] as const);
    let closed: string | undefined;
    return {
      write: nthWrite(1),
      atGateway: (fields) => {
        setFaults(harness, fields, { kind: 'pending', final }, { kind: 'accept_then_drop' });
        closed = harness.gateway.setFault({ times: 'always', effect: { kind: 'query', how: 'throttled' } });
      },
      moved: (_, to) => {
        if (to === 'manual_review')
          scheduler.after(random.spread(MINUTE, 6 * HOUR), () => void harness.gateway.clearFault(closed));
      },
    };
  },
};
