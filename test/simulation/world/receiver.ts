/** Whoever hears the gateway's notices and audits what is over: looks each fact up before it is believed. */
import { idsInFound, outcomeOfFound } from '../../../domain/refund/outcome.js';
import { isFinal, isOpenAttempt, OPEN_ATTEMPT_STATES, REFUND_STATES } from '../../../domain/refund/states.js';
import { lookUpKnown } from '../../../activities/refund/originals.js';
import { shownAlone } from '../../../activities/refund/originals.js';
import { expectationOf } from '../../../activities/refund/send.js';
import { gatewayNotice, refundWorkflowId } from '../../../workflows/refund/contract.js';
import { startRefund } from '../lifetime.js';
import { GatewayLink } from './gateway-link.js';
import type { Row } from '../database/tables.js';
import { ENTITY_ID, type World } from './world.js';

export class Receiver {
  readonly #world: World;
  #news = 0;

  constructor(world: World) {
    this.#world = world;
    const heard: World['onNotice'] = (reference) => this.#hear(reference);
    world.onNotice = heard; // see `World.onNotice`
  }

  #hear(reference: string | undefined): void {
    const { database, coverage } = this.#world;
    const attempt = database.tables.rows.attempts.find((row) => row['reference'] === reference);
    if (attempt === undefined) {
      coverage.hit('notice', 'of nothing that is known');
      // It is looked up again until it shows what the notice told.
      if (this.#world.direction !== undefined || this.#world.payment.type === 'PA')
        this.#world.scheduler.after(this.#world.gateway.settings().visibilityLagMs, () =>
          this.#lookUpPayment(),
        );
      return;
    }
    const refundId = String(attempt['refund_id']);
    // A run may be there that has not heard of the end yet.
    if (this.#isFinal(refundId) || this.#isLookedUp(attempt)) this.#verify(refundId, () => undefined);
    else if (this.#tell(refundId)) coverage.hit('notice', 'heard by a run');
    else startRefund(this.#world, refundId);
  }

  /**
   * Whether a notice about the attempt has a look-up made for it, as notices have where they would change what is on record. Outside of
   * courses nothing changes that before the end but what comes back, and audits find that.
   */
  #isLookedUp({ state }: Row): boolean {
    return this.#world.direction !== undefined && !OPEN_ATTEMPT_STATES.some((open) => open === state);
  }

  /** A chargeback or a capture: the payment is brought up to date. */
  #lookUpPayment(): void {
    const { ledger, payment } = this.#world;
    const gateway = new GatewayLink(this.#world, this.#world.outsider('receiver'), true);
    const given = { entityId: ENTITY_ID, paymentId: payment.id, currency: payment.currency };
    ledger
      .beforeQuery(payment.id)
      .then(async ({ payment: known, at }) => {
        const dependencies = this.#world.dependencies({ ledger, gateway });
        const query = { ...given, observedAt: at, eachCapture: true };
        const original = await lookUpKnown(dependencies, query);
        if (known !== null && original.kind === 'read')
          await ledger.recordOriginal(payment.id, original.facts);
      })
      .catch((error: unknown) => this.#world.fail(error));
  }

  /** Whether a run is there to be told where the refund stands by now. */
  #tell(refundId: string): boolean {
    const version = Number(this.#row(refundId)?.['version']);
    return this.#world.cluster.signal(refundWorkflowId(refundId), gatewayNotice.name, [version]);
  }

  #row(refundId: string) {
    return this.#world.database.tables.rows.refunds.find((refund) => refund['id'] === refundId);
  }

  #isFinal(refundId: string): boolean {
    const state = REFUND_STATES.find((known) => known === this.#row(refundId)?.['state']);
    return state !== undefined && isFinal(state);
  }

  /** Asks for every reference of a refund that is over; what has changed since is recorded, and the refund goes on. */
  #verify(refundId: string, done: () => void): void {
    this.#look(refundId).then(
      (changed) => {
        // A run that waits for a person is told as well: what it waits for may be decided.
        if (changed && !this.#tell(refundId) && !this.#isFinal(refundId)) startRefund(this.#world, refundId);
        done();
      },
      (error: unknown) => {
        this.#world.fail(error);
        done();
      },
    );
  }

  async #look(refundId: string): Promise<boolean> {
    const { ledger, trace, coverage } = this.#world;
    const refund = await ledger.findRefund(refundId);
    if (refund === null) return false;
    const gateway = new GatewayLink(this.#world, this.#world.outsider('receiver'), true);
    const dependencies = this.#world.dependencies({ ledger, gateway });
    let changed = false;
    for (const attempt of refund.attempts) {
      const at = await ledger.clock();
      const found = await shownAlone(dependencies, refund.entityId, attempt);
      if (found.kind !== 'found') continue;
      const expected = expectationOf(dependencies, {
        entityId: refund.entityId,
        currency: refund.currency,
        ...attempt,
      });
      const outcome = outcomeOfFound(found.value, expected);
      const isNews =
        (outcome.kind === 'succeeded' && attempt.state !== 'succeeded' && !isOpenAttempt(attempt.state)) ||
        (outcome.kind === 'rejected' && attempt.state === 'succeeded') ||
        (attempt.state === 'absent' && (outcome.kind === 'pending' || outcome.kind === 'unknown'));
      if (!isNews) continue;
      coverage.hit('notice', `late truth: ${outcome.kind} after ${attempt.state}`);
      trace.note('receiver', `late truth about ${attempt.reference}: ${outcome.kind} after ${attempt.state}`);
      const position = await ledger.record({
        attemptId: attempt.id,
        source: 'look_up',
        asked: { send: attempt.sends, at },
        outcome,
        ids: idsInFound(found.value, expected),
      });
      if (position.version === refund.version) continue;
      changed = true;
      this.#news += 1;
    }
    return changed;
  }

  /**
   * Looks at everything that was sent, and always at what the gateway shows otherwise than the ledger: of what both agree on it learns
   * nothing, so that is looked at in some worlds only. Answers whether it is done.
   */
  audit(): () => boolean {
    let open = 0;
    const isThorough = this.#world.random.chance(0.2);
    for (const row of this.#world.database.tables.rows.refunds) {
      if (!isThorough && !this.#isDoubtful(row['id'])) continue;
      open += 1;
      this.#verify(String(row['id']), () => (open -= 1));
    }
    return () => open === 0;
  }

  #isDoubtful(refundId: unknown): boolean {
    const { database, gateway } = this.#world;
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
  get news(): number {
    return this.#news;
  }
}
