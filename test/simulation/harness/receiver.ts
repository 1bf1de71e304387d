/** Receives the gateway's notifications and audits final refunds. It queries each fact before it records it. */
import { idsInFound, outcomeOfFound } from '../../../domain/refund/outcome.js';
import { isFinal, REFUND_STATES } from '../../../domain/refund/states.js';
import { isOpenAttempt, OPEN_ATTEMPT_STATES } from '../../../domain/refund/attempt-states.js';
import { queryStoredPayment } from '../../../activities/refund/originals.js';
import { queryAttempt } from '../../../activities/refund/originals.js';
import { expectationOf } from '../../../activities/refund/submit.js';
import { gatewayNotification, refundWorkflowId } from '../../../workflows/refund/contract.js';
import { startRefund } from '../simulation-run.js';
import { GatewayLink } from './gateway-link.js';
import type { Row } from '../database/tables.js';
import { ENTITY_ID, type Harness } from './harness.js';

export class Receiver {
  readonly #harness: Harness;
  #lateFacts = 0;

  constructor(harness: Harness) {
    this.#harness = harness;
    const received: Harness['onNotification'] = (reference) => this.#receive(reference);
    harness.onNotification = received; // see `Harness.onNotification`
  }

  #receive(reference: string | undefined): void {
    const { database, coverage } = this.#harness;
    const attempt = database.tables.rows.attempts.find((row) => row['reference'] === reference);
    if (attempt === undefined) {
      coverage.hit('notification', 'of an unknown transaction');
      // Queried again once the gateway shows the transaction of the notification.
      if (this.#harness.direction !== undefined || this.#harness.payment.type === 'PA')
        this.#harness.scheduler.after(this.#harness.gateway.settings().visibilityLagMs, () =>
          this.#queryPayment(),
        );
      return;
    }
    const refundId = String(attempt['refund_id']);
    // A run may exist that has not received the end yet.
    if (this.#isFinal(refundId) || this.#isQueried(attempt)) this.#verify(refundId, () => undefined);
    else if (this.#report(refundId)) coverage.hit('notification', 'received by a run');
    else startRefund(this.#harness, refundId);
  }

  /**
   * True if a notification makes this receiver query the attempt, as the worker does if the notification would change the record. Without a
   * scenario, only a return changes a record before the end of a refund, and audits find that.
   */
  #isQueried({ state }: Row): boolean {
    return this.#harness.direction !== undefined && !OPEN_ATTEMPT_STATES.some((open) => open === state);
  }

  /** Queries the payment after a notification of a chargeback or a capture, and stores the result. */
  #queryPayment(): void {
    const { ledger, payment } = this.#harness;
    const gateway = new GatewayLink(this.#harness, this.#harness.outsider('receiver'), true);
    const target = { entityId: ENTITY_ID, paymentId: payment.id, currency: payment.currency };
    ledger
      .paymentBeforeQuery(payment.id)
      .then(async ({ payment: known, at }) => {
        const dependencies = this.#harness.dependencies({ ledger, gateway });
        const query = { ...target, observedAt: at, eachCapture: true };
        const original = await queryStoredPayment(dependencies, query);
        if (known !== null && original.kind === 'read')
          await ledger.recordOriginal(payment.id, original.facts);
      })
      .catch((error: unknown) => this.#harness.fail(error));
  }

  /** Signals the refund's run with the ledger's version; false if there is no run. */
  #report(refundId: string): boolean {
    const version = Number(this.#row(refundId)?.['version']);
    return this.#harness.cluster.signal(refundWorkflowId(refundId), gatewayNotification.name, [version]);
  }

  #row(refundId: string) {
    return this.#harness.database.tables.rows.refunds.find((refund) => refund['id'] === refundId);
  }

  #isFinal(refundId: string): boolean {
    const state = REFUND_STATES.find((known) => known === this.#row(refundId)?.['state']);
    return state !== undefined && isFinal(state);
  }

  /** Queries every reference of a final refund, records changes, and starts the refund's workflow if needed. */
  #verify(refundId: string, done: () => void): void {
    this.#query(refundId).then(
      (changed) => {
        // A run that waits for an operator is notified as well: the change may decide its case.
        if (changed && !this.#report(refundId) && !this.#isFinal(refundId))
          startRefund(this.#harness, refundId);
        done();
      },
      (error: unknown) => {
        this.#harness.fail(error);
        done();
      },
    );
  }

  async #query(refundId: string): Promise<boolean> {
    const { ledger, trace, coverage } = this.#harness;
    const refund = await ledger.findRefund(refundId);
    if (refund === null) return false;
    const gateway = new GatewayLink(this.#harness, this.#harness.outsider('receiver'), true);
    const dependencies = this.#harness.dependencies({ ledger, gateway });
    let changed = false;
    for (const attempt of refund.attempts) {
      const at = await ledger.clock();
      const found = await queryAttempt(dependencies, refund.entityId, attempt);
      if (found.kind !== 'found') continue;
      const expected = expectationOf({
        currency: refund.currency,
        ...attempt,
      });
      const outcome = outcomeOfFound(found.value, expected);
      const isNew =
        (outcome.kind === 'succeeded' && attempt.state !== 'succeeded' && !isOpenAttempt(attempt.state)) ||
        (outcome.kind === 'rejected' && attempt.state === 'succeeded') ||
        (attempt.state === 'absent' && (outcome.kind === 'pending' || outcome.kind === 'unknown'));
      if (!isNew) continue;
      coverage.hit('notification', `late truth: ${outcome.kind} after ${attempt.state}`);
      trace.note('receiver', `late truth about ${attempt.reference}: ${outcome.kind} after ${attempt.state}`);
      const snapshot = await ledger.record({
        attemptId: attempt.id,
        source: 'query',
        asked: { send: attempt.submissions, at },
        outcome,
        ids: idsInFound(found.value, expected),
      });
      if (snapshot.version === refund.version) continue;
      changed = true;
      this.#lateFacts += 1;
    }
    return changed;
  }

  /**
   * Queries refunds whose gateway state differs from the ledger, and in a fifth of the runs all refunds. A query that agrees with the ledger
   * finds nothing, so most runs leave those out. Returns a function that tells whether the audit is done.
   */
  audit(): () => boolean {
    let open = 0;
    const isThorough = this.#harness.random.chance(0.2);
    for (const row of this.#harness.database.tables.rows.refunds) {
      if (!isThorough && !this.#isDoubtful(row['id'])) continue;
      open += 1;
      this.#verify(String(row['id']), () => (open -= 1));
    }
    return () => open === 0;
  }

  #isDoubtful(refundId: unknown): boolean {
    const { database, gateway } = this.#harness;
    const shown = gateway.transactions();
    return database.tables.rows.attempts.some(
      (attempt) =>
        attempt['refund_id'] === refundId &&
        shown.some(
          (found) =>
            found.merchantTransactionId === attempt['reference'] &&
            (found.state === 'succeeded') !== (attempt['state'] === 'succeeded'),
        ),
    );
  }

  /** Number of facts that came too late for a run to receive them. */
  get lateFacts(): number {
    return this.#lateFacts;
  }
}
