/** The side effects that a refund's workflow may have. Each joins gateway and ledger in a few lines and may run any number of times. */
import { elapsed, type Moment } from '../../domain/clock.js';
import { nextStep, type Position } from '../../domain/refund/next-step.js';
import type { CaseReason, GiveUpReason } from '../../domain/payment/finding.js';
import type { OriginalFacts } from '../../domain/payment/original.js';
import type { Plan } from '../../domain/refund/plan.js';
import type { RefundScope } from '../../ledger/ledger.js';
import type { Unreadable } from '../../ledger/core/queries.js';
import type { CommandResult, Decision, OperatorCommand } from '../../ledger/core/people.js';
import { QueryBudgetSpent } from '../../gateway/errors.js';
import { readBeforeEnd } from './before-end.js';
import { queryingFor, type Dependencies } from '../dependencies.js';
import { lookUp } from './look-up.js';
import { lookUpKnown, type OriginalLookUp } from './originals.js';
import { createPeopleActivities, type PeopleActivities } from './people.js';
export type { CommandResult };
import { idsInFound, outcomeOfFound } from '../../domain/refund/outcome.js';
import { seenReturned } from './returned.js';
import { expectationOf, send } from './send.js';

/** What every activity is told: which refund, and how patient and permissive it is. */
export interface Task {
  readonly refundId: string;
  readonly plan: Plan;
}

/** A look-up that a person asked for is on record with their word. */
export interface LookUpTask extends Task {
  readonly word?: OperatorCommand;
}

export interface RefundActivities extends PeopleActivities {
  /** Sends a refund, or a reversal where nothing is captured. Whoever comes second adopts what the first one did. */
  readonly sendRefund: (task: Task) => Promise<Position>;
  /** Proves that a credit is allowed and sends it, or records why not. */
  readonly sendCredit: (task: Task) => Promise<Position>;
  readonly lookUp: (task: LookUpTask) => Promise<Position>;
  /** Compares a refused refund with the gateway's records of the original, and carries out what follows. */
  readonly reconcile: (task: Task) => Promise<Position>;
  /** Reads the payment of a refund that is in review because it could not be read. Where that works the refund goes on. */
  readonly readPayment: (task: Task) => Promise<Position>;
  readonly askPerson: (refundId: string, why: CaseReason) => Promise<Position>;
  readonly giveUp: (refundId: string, why: GiveUpReason) => Promise<Position>;
  readonly withdraw: (
    refundId: string,
    by: string,
    reason: string,
    ticket?: string,
    commandId?: string,
  ) => Promise<CommandResult<'withdraw'>>;
  readonly decide: (decision: Decision) => Promise<CommandResult<'decide'>>;
  readonly position: (refundId: string) => Promise<Position>;
}

type ScopeOfPayment = RefundScope & { readonly paymentId: string };
/** A free-standing credit has none: there is nothing to look up before it is weighed. */
const hasOriginal = (scope: RefundScope): scope is ScopeOfPayment => scope.paymentId !== null;

export function createRefundActivities(deps: Dependencies): RefundActivities {
  const { ledger } = deps;
  /** Before a credit, and where a decline is weighed, money waits for the answer. */
  const urgent = queryingFor('doubt', deps);

  async function sendRefund({ refundId, plan }: Task): Promise<Position> {
    const openedAfter = deps.now();
    const opened = await ledger.openLinked(refundId, plan.timings, plan.policy);
    if (opened.kind === 'send') return send(deps, refundId, opened.order, openedAfter, plan.timings);
    return opened.mustSee === true ? sendSeen({ refundId, plan }) : opened.position;
  }

  /** Reads a payment that was only declared, and then sends what it turns out to need. */
  async function sendSeen({ refundId, plan }: Task): Promise<Position> {
    const scope = await ledger.scope(refundId);
    if (!hasOriginal(scope)) return ledger.position(refundId);
    const original = await lookUpKnown(urgent, { ...scope, eachCapture: true });
    if (original.kind === 'links_not_shown') return ledger.ask(refundId, 'links_not_shown');
    if (original.kind !== 'read') {
      const answer = original.kind === 'not_found' ? 'the payment is not found' : original.why;
      return ledger.ask(refundId, 'original_unreadable', { answer });
    }
    await ledger.recordOriginal(scope.paymentId, original.facts);
    const openedAfter = deps.now();
    const opened = await ledger.openLinked(refundId, plan.timings, plan.policy);
    return opened.kind === 'send'
      ? send(deps, refundId, opened.order, openedAfter, plan.timings)
      : opened.position;
  }

  async function sendCredit({ refundId, plan }: Task): Promise<Position> {
    const scope = await ledger.scope(refundId);
    if (!hasOriginal(scope)) return openAndSend({ refundId, plan }, null, deps.now());
    const provenAfter = deps.now();
    const askedAt = await ledger.clock();
    const original = await lookUpKnown(urgent, { ...scope, eachCapture: true });
    if (original.kind !== 'read') return unreadable(scope, 'credit', original, plan);
    // A process that was frozen since the query has proven nothing about now.
    const isTooOld = (): boolean => elapsed(provenAfter, deps.now()) > plan.timings.sendWindow;
    if (isTooOld()) return tooLate(refundId);
    const closed = await ledger.applyFinding(refundId, original.facts, 'before_credit');
    if (closed.finding.kind === 'ours') return recordOurs(refundId, original, askedAt);
    const openedAfter = deps.now();
    if (isTooOld()) return tooLate(refundId);
    return openAndSend({ refundId, plan }, original.facts, openedAfter);
  }

  /**
   * Carries out `work`, which queries the gateway. Where the budget of queries has none left it is tried again later, but not for ever: what
   * the refund waits for is asked of an operator when its time is up, and nothing is waited for that another step has answered.
   */
  async function inTurn(
    { refundId, plan }: Task,
    step: 'credit' | 'listen' | 'read' | 'reconcile',
    work: () => Promise<Position>,
  ): Promise<Position> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof QueryBudgetSpent)) throw error;
      const position = await ledger.position(refundId);
      if (nextStep(position, plan).kind !== step) return position;
      if (position.unread === undefined && (step === 'credit' || step === 'reconcile'))
        await ledger.noteUnreadable(refundId, {
          for: step === 'credit' ? 'credit' : 'compare',
          answer: 'no query was left in the budget of the entity',
          isLasting: false,
        });
      throw error;
    }
  }

  const tooLate = (refundId: string): Promise<Position> =>
    ledger.noteUnreadable(refundId, {
      for: 'credit',
      answer: 'the answer came too late to prove anything',
      isLasting: false,
    });

  async function openAndSend(
    { refundId, plan }: Task,
    original: OriginalFacts | null,
    openedAfter: Moment,
  ): Promise<Position> {
    const opened = await ledger.openCredit(refundId, original, plan.timings, plan.policy);
    if (opened.kind === 'resume') return opened.position;
    return send(deps, refundId, opened.order, openedAfter, plan.timings);
  }

  async function reconcile({ refundId, plan }: Task): Promise<Position> {
    const scope = await ledger.scope(refundId);
    if (!hasOriginal(scope)) return ledger.position(refundId);
    const askedAt = await ledger.clock();
    const original = await lookUpKnown(urgent, { ...scope, eachCapture: true });
    if (original.kind !== 'read') return unreadable(scope, 'compare', original, plan);
    const { finding, position } = await ledger.applyFinding(refundId, original.facts, 'decide');
    return finding.kind === 'ours' ? recordOurs(refundId, original, askedAt) : position;
  }

  async function readPayment({ refundId, plan }: Task): Promise<Position> {
    const position = await ledger.position(refundId);
    const scope = await ledger.scope(refundId);
    // An operator may have decided meanwhile: then nothing has to be read.
    if (!hasOriginal(scope) || nextStep(position, plan).kind !== 'read') return position;
    const original = await lookUpKnown(urgent, { ...scope, eachCapture: true });
    return original.kind === 'read'
      ? ledger.noteReadable(refundId, original.facts)
      : unreadable(scope, 'compare', original, plan);
  }

  /** A payment that is known and not shown once is the gateway's own lag; only enough spaced misses are a case. */
  async function unreadable(
    { refundId, paymentId }: ScopeOfPayment,
    purpose: Unreadable['for'],
    original: Exclude<OriginalLookUp, { kind: 'read' }>,
    { timings }: Plan,
  ): Promise<Position> {
    const note = (answer: string, isLasting: boolean): Promise<Position> =>
      ledger.noteUnreadable(refundId, { for: purpose, answer, isLasting });
    switch (original.kind) {
      case 'unavailable':
        return note(original.why, false);
      case 'not_found':
        return note('the payment is not found', await ledger.missOriginal(paymentId, timings));
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
    { tree }: Extract<OriginalLookUp, { kind: 'read' }>,
    askedAt: Date,
  ): Promise<Position> {
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
          source: 'look_up',
          asked: { send: attempt.sends, at: askedAt },
          outcome,
          ids: idsInFound(tree.linked, expected),
        });
    }
    const position = await ledger.position(refundId);
    return ['rejected', 'fallback_checking', 'reserved'].includes(position.state)
      ? ledger.ask(refundId, 'refusal_unclear')
      : position;
  }

  return {
    sendRefund,
    sendCredit: (task) => inTurn(task, 'credit', () => sendCredit(task)),
    reconcile: (task) => inTurn(task, 'reconcile', () => reconcile(task)),
    readPayment: (task) => inTurn(task, 'read', () => readPayment(task)),
    async lookUp({ refundId, plan, word }) {
      if (word !== undefined) await ledger.note(refundId, 'resolve', word);
      const look = (): Promise<Position> => lookUp(deps, refundId, plan.timings, word !== undefined);
      // An operator is told that there was no answer.
      const position = await (word === undefined ? inTurn({ refundId, plan }, 'listen', look) : look());
      // An operator does not wait for the next time that the payment is read.
      return nextStep(position, plan).kind === 'read' ? readPayment({ refundId, plan }) : position;
    },
    askPerson: (refundId, why) => ledger.ask(refundId, why),
    giveUp: (refundId, why) => ledger.giveUp(refundId, why, 'system'),
    async withdraw(refundId, by, reason, ticket, commandId) {
      await readBeforeEnd(deps, refundId);
      const stillReturned = await seenReturned(deps, refundId);
      return ledger.withdraw(refundId, by, reason, ticket, commandId, stillReturned);
    },
    decide: (decision) => ledger.decide(decision),
    position: (refundId) => ledger.position(refundId),
    ...createPeopleActivities(deps),
  };
}
