/** Defects of the ledger: reservations, absence, late evidence. */
import type { Row } from '../database/tables.js';
import type { Mutant, Harness } from '../harness/harness.js';

const find = (harness: Harness, table: 'attempts' | 'refunds', id: string): Row | undefined =>
  harness.database.tables.rows[table].find((row) => row['id'] === id);

/** Changes the reservation of a refund with an event of its own, as a careless extra step would. */
function reserve({ database }: Harness, refund: Row | undefined, minor: bigint, key: string): void {
  if (refund === undefined) return;
  database.tables.insert(
    'events',
    {
      natural_key: `mutant:${String(refund['id'])}:${key}`,
      type: 'refund.released',
      payment_id: refund['payment_id'],
      refund_id: refund['id'],
      reserved_delta: minor,
      from_outside: true,
      actor: 'mutant',
    },
    ['natural_key'],
  );
}

export const LEDGER_MUTANTS: readonly Mutant[] = [
  {
    name: 'release-twice',
    defect: 'giving up releases the reservation once more, in a step of its own',
    ledger: (ledger, harness) => ({
      ...ledger,
      giveUp: async (refundId, why, actor) => {
        const snapshot = await ledger.giveUp(refundId, why, actor);
        const refund = find(harness, 'refunds', refundId);
        const minor = refund?.['amount_minor'];
        if (typeof minor === 'bigint' && snapshot.state === 'failed')
          reserve(harness, refund, -minor, 'again');
        return snapshot;
      },
    }),
  },
  {
    name: 'release-when-unknown',
    defect: 'an unknown outcome releases the reservation',
    ledger: (ledger, harness) => ({
      ...ledger,
      record: async (evidence) => {
        const snapshot = await ledger.record(evidence);
        const minor = find(harness, 'attempts', evidence.attemptId)?.['amount_minor'];
        if (snapshot.state === 'unknown' && typeof minor === 'bigint')
          reserve(harness, find(harness, 'refunds', snapshot.refundId), -minor, 'unknown');
        return snapshot;
      },
    }),
  },
  {
    name: 'early-not-found-counts',
    defect: 'a query counts before a transaction must be visible',
    ledger: (ledger) => ({
      ...ledger,
      recordInconclusive: (id, notFound, timings) =>
        ledger.recordInconclusive(id, notFound, {
          ...timings,
          visibilityLag: -timings.sendWindow,
          notFoundSpacing: 0,
        }),
    }),
  },
  {
    name: 'one-not-found-is-absence',
    defect: 'the first query without a result proves absence, at any time',
    ledger: (ledger) => ({
      ...ledger,
      recordInconclusive: (id, notFound, timings) =>
        ledger.recordInconclusive(
          id,
          { ...notFound, countsTowardsAbsence: true },
          { ...timings, visibilityLag: -timings.sendWindow, notFoundNeeded: 1 },
        ),
    }),
  },
  {
    name: 'resend-without-query',
    defect: 'an attempt without an answer is submitted again at once',
    ledger: (ledger, harness) => ({
      ...ledger,
      openLinked: async (id, timings, policy) => {
        const open = harness.database.tables.rows.attempts.find(
          (row) => row['refund_id'] === id && row['state'] === 'submitting' && row['operation'] === 'refund',
        );
        if (open !== undefined)
          await ledger.record({
            attemptId: String(open['id']),
            send: Number(open['submissions']),
            source: 'answer',
            outcome: { kind: 'not_sent', why: 'closed' },
          });
        return ledger.openLinked(id, timings, policy);
      },
    }),
  },
  {
    name: 'stale-answers-count',
    defect: 'an answer to an earlier submission counts for the later one',
    ledger: (ledger, harness) => ({
      ...ledger,
      record: (evidence) => {
        const submissions = find(harness, 'attempts', evidence.attemptId)?.['submissions'];
        return ledger.record(
          evidence.source === 'answer' ? { ...evidence, send: Number(submissions) } : evidence,
        );
      },
    }),
  },
  {
    name: 'returned-is-final',
    defect: 'a returned attempt can never become paid again',
    ledger: (ledger, harness) => ({
      ...ledger,
      record: (evidence) =>
        evidence.outcome.kind === 'succeeded' &&
        find(harness, 'attempts', evidence.attemptId)?.['state'] === 'returned'
          ? ledger.record({ ...evidence, outcome: { kind: 'unknown', why: 'not_a_result' } })
          : ledger.record(evidence),
      withdraw: (id, by, reason, ticket, commandId) => {
        const at = new Date(harness.scheduler.now);
        const returned = harness.database.tables.rows.attempts
          .filter((row) => row['refund_id'] === id && row['state'] === 'returned')
          .map((row) => ({ attemptId: String(row['id']), at }));
        return ledger.withdraw(id, by, reason, ticket, commandId, returned);
      },
    }),
  },
  {
    name: 'doubtful-ids-are-dropped',
    defect: 'the id in an answer that leaves the outcome open is not stored',
    ledger: (ledger) => ({
      ...ledger,
      storeIds: () => Promise.resolve(),
      record: ({ ids, ...evidence }) => {
        const { outcome } = evidence;
        return outcome.kind === 'unknown'
          ? ledger.record({ ...evidence, outcome: { kind: 'unknown', why: outcome.why } })
          : ledger.record({ ...evidence, ...(ids === undefined ? {} : { ids }) });
      },
    }),
  },
  {
    name: 'earlier-decline-counts',
    defect: 'a decline that a query finds ends the attempt, whichever submission was declined',
    ledger: (ledger, harness) => ({
      ...ledger,
      record: (evidence) => {
        const { outcome } = evidence;
        if (evidence.source !== 'query' || outcome.kind !== 'rejected') return ledger.record(evidence);
        const send = Number(find(harness, 'attempts', evidence.attemptId)?.['submissions']);
        return ledger.record({
          ...evidence,
          asked: { ...evidence.asked, send },
          outcome: { ...outcome, declines: send },
        });
      },
    }),
  },
  {
    name: 'withdraw-after-submission',
    defect: 'a refund that may have left can be withdrawn',
    ledger: (ledger, harness) => ({
      ...ledger,
      withdraw: async (id, ...note) => {
        const open = harness.database.tables.rows.attempts.find(
          (row) => row['refund_id'] === id && (row['state'] === 'unknown' || row['state'] === 'submitting'),
        );
        if (open !== undefined)
          await ledger.record({
            attemptId: String(open['id']),
            send: Number(open['submissions']),
            source: 'answer',
            outcome: { kind: 'not_sent', why: 'closed' },
          });
        return ledger.withdraw(id, ...note);
      },
    }),
  },
  {
    name: 'budget-makes-failed',
    defect: 'an outcome that stays unknown fails the refund when the budget is spent',
    ledger: (ledger) => ({
      ...ledger,
      openCase: async (id, why, details) => {
        const queryTarget = await ledger.queryTarget(id);
        if ((why === 'outcome_unknown' || why === 'pending_too_long') && queryTarget !== null) {
          await ledger.record({
            attemptId: queryTarget.attemptId,
            source: 'query',
            asked: queryTarget.asked,
            outcome: { kind: 'rejected', class: 'not_owed' },
          });
          return ledger.giveUp(id, 'not_owed', 'system');
        }
        return ledger.openCase(id, why, details);
      },
    }),
  },
  {
    name: 'no-operator-is-asked',
    defect: 'a refund that an operator has to decide fails instead',
    ledger: (ledger) => ({ ...ledger, openCase: (id) => ledger.giveUp(id, 'not_owed', 'system') }),
  },
  {
    name: 'reading-without-budget',
    defect: 'a payment that cannot be read is read again for ever, and no operator is asked',
    ledger: (ledger) => ({
      ...ledger,
      recordUnreadable: () => Promise.reject(new Error('read again')),
    }),
  },
  {
    name: 'replay-after-submission',
    defect: 'a refund whose outcome is open is replayed and submitted again',
    ledger: (ledger) => ({
      ...ledger,
      openCase: async (id, why, details) => {
        const snapshot = await ledger.openCase(id, why, details);
        const queryTarget = await ledger.queryTarget(id);
        if (queryTarget === null) return snapshot;
        await ledger.record({
          attemptId: queryTarget.attemptId,
          asked: queryTarget.asked,
          source: 'query',
          outcome: { kind: 'rejected', class: 'configuration' },
        });
        return ledger.openCase(id, 'configuration');
      },
    }),
  },
  {
    name: 'reversal-counts-whole',
    defect: 'a reversal counts for its whole amount, even if a part was captured meanwhile',
    ledger: (ledger, harness) => {
      const isReversed = (): boolean =>
        harness.database.tables.rows.attempts.some(
          (row) => row['operation'] === 'reversal' && row['state'] === 'succeeded',
        );
      return {
        ...ledger,
        record: ({ original: _captures, outcome, ...evidence }) =>
          ledger.record({
            ...evidence,
            outcome:
              outcome.kind === 'succeeded'
                ? { kind: 'succeeded', gatewayId: outcome.gatewayId, flagged: outcome.flagged }
                : outcome,
          }),
        recordOriginal: async (id, original) => {
          if (!isReversed()) await ledger.recordOriginal(id, original);
        },
      };
    },
  },
  {
    name: 'answers-deleted',
    defect: 'the result of a command is not stored, so a late repetition is decided anew',
    ledger: (ledger) => ({
      ...ledger,
      withdraw: (id, by, reason, ticket) => ledger.withdraw(id, by, reason, ticket),
      decide: (decision) => ledger.decide({ ...decision, commandId: undefined }),
      link: (linkCommand, timings) => ledger.link({ ...linkCommand, commandId: undefined }, timings),
      correct: (correction, config) => ledger.correct({ ...correction, commandId: undefined }, config),
      confirm: (decision, timings) => ledger.confirm({ ...decision, commandId: undefined }, timings),
      changeDestination: (destinationChange) =>
        ledger.changeDestination({ ...destinationChange, commandId: undefined }),
    }),
  },
];
