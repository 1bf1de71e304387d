/** Whoever hears the gateway's notices and audits what is over: looks each fact up before it is believed. */
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
  #updates = 0;

  constructor(harness: Harness) {
    this.#harness = harness;
    const received: Harness['onNotification'] = (reference) => this.#record(reference);
    harness.onNotification = received; // see `World.onNotification`
  }

  #record(reference: string | undefined): void {
    const { database, coverage } = this.#harness;
    const attempt = database.tables.rows.attempts.find((row) => row['reference'] === reference);
    if (attempt === undefined) {
      coverage.hit('notification', 'of nothing that is known');
      // It is looked up again until it shows what the notice told.
      if (this.#harness.direction !== undefined || this.#harness.payment.type === 'PA')
        this.#harness.scheduler.after(this.#harness.gateway.settings().visibilityLagMs, () =>
          this.#queryPayment(),
        );
      return;
    }
    const refundId = String(attempt['refund_id']);
    // A run may be there that has not heard of the end yet.
    if (this.#isFinal(refundId) || this.#isQueried(attempt)) this.#verify(refundId, () => undefined);
    else if (this.#report(refundId)) coverage.hit('notification', 'heard by a run');
    else startRefund(this.#harness, refundId);
  }

  /**
   * Whether a notice about the attempt has a look-up made for it, as notices have where they would change what is on record. Outside of
   * courses nothing changes that before the end but what comes back, and audits find that.
   */
  #isQueried({ state }: Row): boolean {
    return this.#harness.direction !== undefined && !OPEN_ATTEMPT_STATES.some((open) => open === state);
  }

  /** A chargeback or a capture: the payment is brought up to date. */
  #queryPayment(): void {
    const { ledger, payment } = this.#harness;
    const gateway = new GatewayLink(this.#harness, this.#harness.outsider('receiver'), true);
    const fixture = { entityId: ENTITY_ID, paymentId: payment.id, currency: payment.currency };
    ledger
      .paymentBeforeQuery(payment.id)
      .then(async ({ payment: known, at }) => {
        const dependencies = this.#harness.dependencies({ ledger, gateway });
        const query = { ...fixture, observedAt: at, eachCapture: true };
        const original = await queryStoredPayment(dependencies, query);
        if (known !== null && original.kind === 'read')
          await ledger.recordOriginal(payment.id, original.facts);
      })
      .catch((error: unknown) => this.#harness.fail(error));
  }

  /** Whether a run is there to be told where the refund stands by now. */
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

  /** Asks for every reference of a refund that is over; what has changed since is recorded, and the refund goes on. */
  #verify(refundId: string, done: () => void): void {
    this.#query(refundId).then(
      (changed) => {
        // A run that waits for a person is told as well: what it waits for may be decided.
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
      const isUpdate =
        (outcome.kind === 'succeeded' && attempt.state !== 'succeeded' && !isOpenAttempt(attempt.state)) ||
        (outcome.kind === 'rejected' && attempt.state === 'succeeded') ||
        (attempt.state === 'absent' && (outcome.kind === 'pending' || outcome.kind === 'unknown'));
      if (!isUpdate) continue;
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
      this.#updates += 1;
    }
    return changed;
  }

  /**
   * Looks at everything that was sent, and always at what the gateway shows otherwise than the ledger: of what both agree on it learns
   * nothing, so that is looked at in some worlds only. Answers whether it is done.
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

  /** Facts that came too late for a run to hear them. */
  get updates(): number {
    return this.#updates;
  }
}
