/** The side effects that a refund's workflow may have. Each joins gateway and ledger in a few lines and may run any number of times. */
import type { Position } from '../domain/next-step.js';
import type { CaseReason, GiveUpReason } from '../domain/finding.js';
import type { OriginalFacts } from '../domain/original.js';
import type { Plan } from '../domain/plan.js';
import type { RefundScope } from '../ledger/ledger.js';
import type { Word } from '../domain/people.js';
import type { Answered, Decision } from '../ledger/people.js';
import type { Dependencies } from './dependencies.js';
import { lookUp } from './look-up.js';
import { lookUpKnown, type OriginalLookUp } from './originals.js';
import { createPeopleActivities, type PeopleActivities } from './people.js';
export type { Answered };
import { outcomeOfFound } from '../domain/outcome.js';
import { expectationOf, send } from './send.js';

/** What every activity is told: which refund, and how patient and permissive it is. */
export interface Task {
  readonly refundId: string;
  readonly plan: Plan;
}

/** A look-up that a person asked for is on record with their word. */
export interface LookUpTask extends Task {
  readonly word?: Word;
}

/** Where a refund stands does not depend on what an activity is retried for: `alive` ends when the activity may not go on. */
export interface RefundActivities extends PeopleActivities {
  /** Sends a refund, or a reversal where nothing is captured. Whoever comes second adopts what the first one did. */
  readonly sendRefund: (task: Task) => Promise<Position>;
  /** Proves that a credit is allowed and sends it, or records why not. */
  readonly sendCredit: (task: Task) => Promise<Position>;
  readonly lookUp: (task: LookUpTask) => Promise<Position>;
  /** Compares a refused refund with the gateway's records of the original, and carries out what follows. */
  readonly reconcile: (task: Task) => Promise<Position>;
  readonly askPerson: (refundId: string, why: CaseReason) => Promise<Position>;
  readonly giveUp: (refundId: string, why: GiveUpReason) => Promise<Position>;
  readonly withdraw: (
    refundId: string,
    by: string,
    reason: string,
    ticket?: string,
    wordId?: string,
  ) => Promise<Answered<'withdraw'>>;
  readonly decide: (decision: Decision) => Promise<Answered<'decide'>>;
  readonly position: (refundId: string) => Promise<Position>;
}

type ScopeOfPayment = RefundScope & { readonly paymentId: string };
/** A free-standing credit has none: there is nothing to look up before it is weighed. */
const hasOriginal = (scope: RefundScope): scope is ScopeOfPayment => scope.paymentId !== null;

/** Asking again later may help; Temporal's retry does it. */
export class OriginalUnavailable extends Error {
  override readonly name = 'OriginalUnavailable';
}

export function createRefundActivities(deps: Dependencies, alive: () => AbortSignal): RefundActivities {
  const { ledger } = deps;

  async function sendRefund({ refundId, plan }: Task): Promise<Position> {
    const openedAfter = deps.now();
    const opened = await ledger.openLinked(refundId, plan.timings, plan.policy);
    if (opened.kind === 'adopt') return opened.position;
    return send(deps, refundId, opened.order, openedAfter, plan.timings, alive);
  }

  async function sendCredit({ refundId, plan }: Task): Promise<Position> {
    const scope = await ledger.scope(refundId);
    if (!hasOriginal(scope)) return openAndSend({ refundId, plan }, null, deps.now());
    const provenAfter = deps.now();
    const original = await lookUpKnown(deps, scope);
    if (original.kind !== 'read') return unreadable(scope, original, plan);
    const closed = await ledger.applyFinding(refundId, original.facts, 'before_credit');
    if (closed.finding.kind === 'ours') return recordOurs(refundId, original);
    // A process that was frozen since the look-up has proven nothing about now.
    const openedAfter = deps.now();
    if (openedAfter - provenAfter > plan.timings.sendWindow)
      throw new OriginalUnavailable('the proof is too old; it is made again');
    return openAndSend({ refundId, plan }, original.facts, openedAfter);
  }

  async function openAndSend(
    { refundId, plan }: Task,
    original: OriginalFacts | null,
    openedAfter: number,
  ): Promise<Position> {
    const opened = await ledger.openCredit(refundId, original, plan.timings, plan.policy);
    if (opened.kind === 'adopt') return opened.position;
    return send(deps, refundId, opened.order, openedAfter, plan.timings, alive);
  }

  async function reconcile({ refundId, plan }: Task): Promise<Position> {
    const scope = await ledger.scope(refundId);
    if (!hasOriginal(scope)) return ledger.position(refundId);
    const original = await lookUpKnown(deps, scope);
    if (original.kind !== 'read') return unreadable(scope, original, plan);
    const { finding, position } = await ledger.applyFinding(refundId, original.facts, 'decide');
    return finding.kind === 'ours' ? recordOurs(refundId, original) : position;
  }

  /** A payment that is known and not shown once is the gateway's own lag; only enough spaced misses are a case. */
  async function unreadable(
    { refundId, paymentId }: ScopeOfPayment,
    original: Exclude<OriginalLookUp, { kind: 'read' }>,
    { timings }: Plan,
  ): Promise<Position> {
    switch (original.kind) {
      case 'unavailable':
        throw new OriginalUnavailable(original.why);
      case 'not_found':
        if (!(await ledger.missOriginal(paymentId, timings)))
          throw new OriginalUnavailable('the payment is not found; it is looked up again');
        return ledger.ask(refundId, 'original_unreadable', { problem: 'not found' });
      case 'unreadable':
        return ledger.ask(refundId, 'original_unreadable', { problem: original.why });
      default:
        return original satisfies never;
    }
  }

  /** A refused attempt that the gateway shows all the same: the refusal was about a repetition of it. */
  async function recordOurs(
    refundId: string,
    { tree }: Extract<OriginalLookUp, { kind: 'read' }>,
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
        await ledger.record({ attemptId: attempt.id, send: null, source: 'look_up', outcome });
    }
    const position = await ledger.position(refundId);
    return ['rejected', 'fallback_checking', 'reserved'].includes(position.state)
      ? ledger.ask(refundId, 'refusal_unclear')
      : position;
  }

  return {
    sendRefund,
    sendCredit,
    reconcile,
    async lookUp({ refundId, plan, word }) {
      if (word !== undefined) await ledger.note(refundId, 'resolved', word);
      return lookUp(deps, refundId, plan.timings);
    },
    askPerson: (refundId, why) => ledger.ask(refundId, why),
    giveUp: (refundId, why) => ledger.giveUp(refundId, why, 'system'),
    withdraw: (refundId, ...word) => ledger.withdraw(refundId, ...word),
    decide: (decision) => ledger.decide(decision),
    position: (refundId) => ledger.position(refundId),
    ...createPeopleActivities(deps),
  };
}
