/** The side effects that a refund's workflow may have. Each joins gateway and ledger in a few lines and may run any number of times. */
import { elapsed, type Moment } from '../../domain/clock.js';
import { nextStep, type RefundSnapshot } from '../../domain/refund/next-step.js';
import type { CaseReason, GiveUpReason } from '../../domain/payment/reconciliation.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import type { RefundConfig } from '../../domain/refund/config.js';
import type { RefundScope } from '../../ledger/ledger.js';
import type { UnreadablePayment } from '../../ledger/core/queries.js';
import type { CommandResult, Decision, OperatorCommand } from '../../ledger/core/commands.js';
import { QueryBudgetSpent } from '../../gateway/errors.js';
import { readBeforeEnd } from './before-end.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { query } from './query-outcome.js';
import { queryKnown, type OriginalAnswer } from './originals.js';
import { createPeopleActivities, type PeopleActivities } from './commands.js';
export type { CommandResult };
import { idsInFound, outcomeOfFound } from '../../domain/refund/outcome.js';
import { seenReturned } from './returned.js';
import { expectationOf, send } from './send.js';

/** What every activity is told: which refund, and how patient and permissive it is. */
export interface Task {
  readonly refundId: string;
  readonly config: RefundConfig;
}

/** A look-up that a person asked for is on record with their word. */
export interface QueryTask extends Task {
  readonly note?: OperatorCommand;
}

export interface RefundActivities extends PeopleActivities {
  /** Sends a refund, or a reversal where nothing is captured. Whoever comes second adopts what the first one did. */
  readonly sendRefund: (task: Task) => Promise<RefundSnapshot>;
  /** Proves that a credit is allowed and sends it, or records why not. */
  readonly sendCredit: (task: Task) => Promise<RefundSnapshot>;
  readonly query: (task: QueryTask) => Promise<RefundSnapshot>;
  /** Compares a refused refund with the gateway's records of the original, and carries out what follows. */
  readonly reconcile: (task: Task) => Promise<RefundSnapshot>;
  /** Reads the payment of a refund that is in review because it could not be read. Where that works the refund goes on. */
  readonly readPayment: (task: Task) => Promise<RefundSnapshot>;
  readonly openCase: (refundId: string, why: CaseReason) => Promise<RefundSnapshot>;
  readonly giveUp: (refundId: string, why: GiveUpReason) => Promise<RefundSnapshot>;
  readonly withdraw: (
    refundId: string,
    by: string,
    reason: string,
    ticket?: string,
    commandId?: string,
  ) => Promise<CommandResult<'withdraw'>>;
  readonly decide: (decision: Decision) => Promise<CommandResult<'decide'>>;
  readonly snapshot: (refundId: string) => Promise<RefundSnapshot>;
}

type ScopeOfPayment = RefundScope & { readonly paymentId: string };
/** A free-standing credit has none: there is nothing to look up before it is weighed. */
const hasOriginal = (scope: RefundScope): scope is ScopeOfPayment => scope.paymentId !== null;

export function createRefundActivities(deps: Dependencies): RefundActivities {
  const { ledger } = deps;
  /** Before a credit, and where a decline is weighed, money waits for the answer. */
  const urgent = queryingFor('doubt', deps);

  async function sendRefund({ refundId, config }: Task): Promise<RefundSnapshot> {
    const openedAfter = deps.now();
    const opened = await ledger.openLinked(refundId, config.timings, config.policy);
    if (opened.kind === 'send') return send(deps, refundId, opened.order, openedAfter, config.timings);
    return opened.needsQuery === true ? sendSeen({ refundId, config }) : opened.snapshot;
  }

  /** Reads a payment that was only declared, and then sends what it turns out to need. */
  async function sendSeen({ refundId, config }: Task): Promise<RefundSnapshot> {
    const scope = await ledger.scope(refundId);
    if (!hasOriginal(scope)) return ledger.snapshot(refundId);
    const original = await queryKnown(urgent, { ...scope, eachCapture: true });
    if (original.kind === 'links_not_shown') return ledger.ask(refundId, 'links_not_shown');
    if (original.kind !== 'read') {
      const answer = original.kind === 'not_found' ? 'the payment is not found' : original.why;
      return ledger.ask(refundId, 'original_unreadable', { answer });
    }
    await ledger.recordOriginal(scope.paymentId, original.facts);
    const openedAfter = deps.now();
    const opened = await ledger.openLinked(refundId, config.timings, config.policy);
    return opened.kind === 'send'
      ? send(deps, refundId, opened.order, openedAfter, config.timings)
      : opened.snapshot;
  }

  async function sendCredit({ refundId, config }: Task): Promise<RefundSnapshot> {
    const scope = await ledger.scope(refundId);
    if (!hasOriginal(scope)) return openAndSend({ refundId, config }, null, deps.now());
    const provenAfter = deps.now();
    const askedAt = await ledger.clock();
    const original = await queryKnown(urgent, { ...scope, eachCapture: true });
    if (original.kind !== 'read') return unreadable(scope, 'credit', original, config);
    // A process that was frozen since the query has proven nothing about now.
    const isTooOld = (): boolean => elapsed(provenAfter, deps.now()) > config.timings.sendWindow;
    if (isTooOld()) return tooLate(refundId);
    const closed = await ledger.applyReconciliation(refundId, original.facts, 'before_credit');
    if (closed.reconciliation.kind === 'ours') return recordOurs(refundId, original, askedAt);
    const openedAfter = deps.now();
    if (isTooOld()) return tooLate(refundId);
    return openAndSend({ refundId, config }, original.facts, openedAfter);
  }

  /**
   * Carries out `work`, which queries the gateway. Where the budget of queries has none left it is tried again later, but not for ever: what
   * the refund waits for is asked of an operator when its time is up, and nothing is waited for that another step has answered.
   */
  async function inTurn(
    { refundId, config }: Task,
    step: 'credit' | 'listen' | 'read' | 'reconcile',
    work: () => Promise<RefundSnapshot>,
  ): Promise<RefundSnapshot> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof QueryBudgetSpent)) throw error;
      const snapshot = await ledger.snapshot(refundId);
      if (nextStep(snapshot, config).kind !== step) return snapshot;
      if (snapshot.unread === undefined && (step === 'credit' || step === 'reconcile'))
        await ledger.recordUnreadable(refundId, {
          for: step === 'credit' ? 'credit' : 'compare',
          answer: 'no query was left in the budget of the entity',
          isLasting: false,
        });
      throw error;
    }
  }

  const tooLate = (refundId: string): Promise<RefundSnapshot> =>
    ledger.recordUnreadable(refundId, {
      for: 'credit',
      answer: 'the answer came too late to prove anything',
      isLasting: false,
    });

  async function openAndSend(
    { refundId, config }: Task,
    original: OriginalFacts | null,
    openedAfter: Moment,
  ): Promise<RefundSnapshot> {
    const opened = await ledger.openCredit(refundId, original, config.timings, config.policy);
    if (opened.kind === 'resume') return opened.snapshot;
    return send(deps, refundId, opened.order, openedAfter, config.timings);
  }

  async function reconcile({ refundId, config }: Task): Promise<RefundSnapshot> {
    const scope = await ledger.scope(refundId);
    if (!hasOriginal(scope)) return ledger.snapshot(refundId);
    const askedAt = await ledger.clock();
    const original = await queryKnown(urgent, { ...scope, eachCapture: true });
    if (original.kind !== 'read') return unreadable(scope, 'compare', original, config);
    const { reconciliation, snapshot } = await ledger.applyReconciliation(refundId, original.facts, 'decide');
    return reconciliation.kind === 'ours' ? recordOurs(refundId, original, askedAt) : snapshot;
  }

  async function readPayment({ refundId, config }: Task): Promise<RefundSnapshot> {
    const snapshot = await ledger.snapshot(refundId);
    const scope = await ledger.scope(refundId);
    // An operator may have decided meanwhile: then nothing has to be read.
    if (!hasOriginal(scope) || nextStep(snapshot, config).kind !== 'read') return snapshot;
    const original = await queryKnown(urgent, { ...scope, eachCapture: true });
    return original.kind === 'read'
      ? ledger.recordReadable(refundId, original.facts)
      : unreadable(scope, 'compare', original, config);
  }

  /** A payment that is known and not shown once is the gateway's own lag; only enough spaced misses are a case. */
  async function unreadable(
    { refundId, paymentId }: ScopeOfPayment,
    purpose: UnreadablePayment['for'],
    original: Exclude<OriginalAnswer, { kind: 'read' }>,
    { timings }: RefundConfig,
  ): Promise<RefundSnapshot> {
    const note = (answer: string, isLasting: boolean): Promise<RefundSnapshot> =>
      ledger.recordUnreadable(refundId, { for: purpose, answer, isLasting });
    switch (original.kind) {
      case 'unavailable':
        return note(original.why, false);
      case 'not_found':
        return note('the payment is not found', await ledger.recordPaymentNotFound(paymentId, timings));
      case 'unreadable':
        return note(original.why, true);
      case 'links_not_shown':
        return ledger.ask(refundId, 'links_not_shown');
      default:
        return original satisfies never;
    }
  }

  /** A refused attempt that the gateway shows all the same: the refusal was about a repetition of it. */
  async function recordOurs(
    refundId: string,
    { tree }: Extract<OriginalAnswer, { kind: 'read' }>,
    askedAt: Date,
  ): Promise<RefundSnapshot> {
    const refund = await ledger.findRefund(refundId);
    for (const attempt of refund?.attempts ?? []) {
      if (refund === null || attempt.state === 'succeeded') continue;
      const expected = expectationOf(deps, {
        ...attempt,
        entityId: refund.entityId,
        currency: refund.currency,
      });
      const outcome = outcomeOfFound(tree.linked, expected);
      if (outcome.kind === 'succeeded')
        await ledger.record({
          attemptId: attempt.id,
          source: 'query',
          asked: { send: attempt.submissions, at: askedAt },
          outcome,
          ids: idsInFound(tree.linked, expected),
        });
    }
    const snapshot = await ledger.snapshot(refundId);
    return ['rejected', 'fallback_checking', 'reserved'].includes(snapshot.state)
      ? ledger.ask(refundId, 'decline_unclear')
      : snapshot;
  }

  return {
    sendRefund,
    sendCredit: (task) => inTurn(task, 'credit', () => sendCredit(task)),
    reconcile: (task) => inTurn(task, 'reconcile', () => reconcile(task)),
    readPayment: (task) => inTurn(task, 'read', () => readPayment(task)),
    async query({ refundId, config, note }) {
      if (note !== undefined) await ledger.note(refundId, 'sync', note);
      const look = (): Promise<RefundSnapshot> => query(deps, refundId, config.timings, note !== undefined);
      // An operator is told that there was no answer.
      const snapshot = await (note === undefined ? inTurn({ refundId, config }, 'listen', look) : look());
      // An operator does not wait for the next time that the payment is read.
      return nextStep(snapshot, config).kind === 'read' ? readPayment({ refundId, config }) : snapshot;
    },
    openCase: (refundId, why) => ledger.ask(refundId, why),
    giveUp: (refundId, why) => ledger.giveUp(refundId, why, 'system'),
    async withdraw(refundId, by, reason, ticket, commandId) {
      await readBeforeEnd(deps, refundId);
      const stillReturned = await seenReturned(deps, refundId);
      return ledger.withdraw(refundId, by, reason, ticket, commandId, stillReturned);
    },
    decide: (decision) => ledger.decide(decision),
    snapshot: (refundId) => ledger.snapshot(refundId),
    ...createPeopleActivities(deps),
  };
}
