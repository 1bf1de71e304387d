/** Defects of the credit: the one operation that the gateway does not limit to the captured amount. */
import type { OriginalFacts } from '../../../domain/payment/original.js';
import type { Policy } from '../../../domain/refund/config.js';
import { amount, sumOf } from '../checks/rows.js';
import type { Mutant } from '../harness/harness.js';
import { methods } from './send.js';

const change =
  (changes: Partial<OriginalFacts>) =>
  <Facts extends OriginalFacts | null>(original: Facts): Facts =>
    original === null ? original : { ...original, ...changes };
const unseen = change({ returns: [], disputes: [] });
const undisputed = change({ disputes: [] });
const everything: Policy['creditApprovalAbove'] = { EUR: '99999999', JPY: '99999999', KWD: '99999999' };

export const CREDIT_MUTANTS: readonly Mutant[] = [
  {
    name: 'no-proof-for-credit',
    defect: 'the guard does not see what the gateway has on the original',
    ledger: (ledger) => ({
      ...ledger,
      applyReconciliation: (id, original, purpose) =>
        ledger.applyReconciliation(id, unseen(original), purpose),
      openCredit: (id, original, timings, policy, prepared) =>
        ledger.openCredit(id, unseen(original), timings, policy, prepared),
    }),
  },
  {
    name: 'disputes-ignored',
    defect: 'a chargeback does not block a credit',
    ledger: (ledger) => ({
      ...ledger,
      applyReconciliation: (id, original, purpose) =>
        ledger.applyReconciliation(id, undisputed(original), purpose),
      openCredit: (id, original, timings, policy, prepared) =>
        ledger.openCredit(id, undisputed(original), timings, policy, prepared),
    }),
  },
  {
    name: 'captures-not-queried',
    defect: 'transactions of a capture are ignored if the authorization does not list them',
    gateway: (gateway) => ({
      ...methods(gateway),
      findWithLinked: async (entityId, id) => {
        const found = await gateway.findWithLinked(entityId, id);
        return found.kind === 'found' && found.value.original.type === 'capture'
          ? { ...found, value: { ...found.value, linked: [] } }
          : found;
      },
    }),
  },
  {
    name: 'old-proof-for-credit',
    defect: 'the first query of the original is used for every later credit',
    gateway: (gateway, harness) => ({
      ...methods(gateway),
      findWithLinked: async (entityId, id) => {
        const known = harness.remembered.get(id);
        if (known !== undefined) return known;
        const found = await gateway.findWithLinked(entityId, id);
        if (found.kind === 'found') harness.remembered.set(id, found);
        return found;
      },
    }),
  },
  {
    name: 'no-approval',
    defect: 'no amount needs an approver',
    ledger: (ledger) => ({
      ...ledger,
      openCredit: (id, original, timings, policy, prepared) =>
        ledger.openCredit(id, original, timings, { ...policy, creditApprovalAbove: everything }, prepared),
    }),
  },
  {
    name: 'limit-for-each-credit',
    defect: 'the limit is compared with each credit alone, and not with what left before it',
    ledger: (ledger, harness) => ({
      ...ledger,
      openCredit: (id, original, timings, policy, prepared) => {
        const refund = harness.database.tables.rows.refunds.find((row) => row['id'] === id);
        const paid = harness.database.tables.rows.attempts.filter(
          (row) => row['refund_id'] === id && row['state'] === 'succeeded',
        );
        const limit = policy.creditApprovalAbove[String(refund?.['currency'])];
        const isWithin =
          limit !== undefined &&
          refund !== undefined &&
          amount(refund, 'amount_minor') - sumOf(paid, 'amount_minor') <= BigInt(limit);
        const changed = { ...policy, ...(isWithin ? { creditApprovalAbove: everything } : {}) };
        return ledger.openCredit(id, original, timings, changed, prepared);
      },
    }),
  },
  {
    name: 'no-limit-of-entity',
    defect: "the entity's limit is ignored",
    ledger: (ledger) => ({
      ...ledger,
      openCredit: (id, original, timings, { creditLimitPerEntity: _, ...policy }, prepared) =>
        ledger.openCredit(id, original, timings, policy, prepared),
    }),
  },
  {
    name: 'window-of-an-hour',
    defect: 'credits count towards the limits for an hour, whatever window is set',
    ledger: (ledger) => ({
      ...ledger,
      openCredit: (id, original, timings, policy, prepared) =>
        ledger.openCredit(id, original, timings, { ...policy, creditLimitWindowHours: 1 }, prepared),
    }),
  },
  {
    name: 'own-approval',
    defect: 'the requester of the refund may approve it',
    ledger: (ledger) => ({
      ...ledger,
      decide: (decision) =>
        ledger.decide({ ...decision, by: decision.by === 'asker' ? 'asker, disguised' : decision.by }),
    }),
  },
  {
    name: 'credit-sent-again',
    defect: 'a credit that queries do not show is submitted again',
    ledger: (ledger, harness) => ({
      ...ledger,
      recordInconclusive: async (id, notFound, timings) => {
        const attempt = harness.database.tables.rows.attempts.find((row) => row['id'] === id);
        if (attempt?.['operation'] !== 'credit') return ledger.recordInconclusive(id, notFound, timings);
        return ledger.record({
          attemptId: id,
          send: Number(attempt['submissions']),
          source: 'answer',
          outcome: { kind: 'not_sent', why: 'closed' },
        });
      },
    }),
  },
  {
    name: 'credit-after-any-decline',
    defect: 'a credit may follow every decline',
    ledger: (ledger) => ({
      ...ledger,
      record: (evidence) =>
        ledger.record(
          evidence.outcome.kind === 'rejected'
            ? { ...evidence, outcome: { ...evidence.outcome, class: 'not_linkable' } }
            : evidence,
        ),
      applyReconciliation: (id, original, purpose) =>
        ledger.applyReconciliation(id, unseen(original), purpose),
      openCredit: (id, original, timings, policy, prepared) =>
        ledger.openCredit(id, unseen(original), timings, policy, prepared),
    }),
  },
  {
    name: 'credit-to-another',
    defect: 'the credit goes to another registration than the payer’s',
    gateway: (gateway, harness) => ({
      ...methods(gateway),
      creditRegistration: (order) =>
        gateway.creditRegistration({ ...order, registrationId: harness.otherRegistrationId }),
    }),
  },
];
