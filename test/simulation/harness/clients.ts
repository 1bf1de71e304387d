/** Workflows of clients around a refund, and the check that the result they receive is the ledger's. */
import { FINAL_STATES } from '../../../domain/refund/states.js';
import { isSafeToCompensate } from '../../../workflows/pay-back/pay-back.js';
import type { RefundOrder } from '../../../activities/refund/accept.js';
import type { Row } from '../database/tables.js';
import type { Outcome } from '../temporal/execution.js';
import type { Harness } from './harness.js';

const FINAL_EVENTS: ReadonlySet<unknown> = new Set(FINAL_STATES.map((state) => `refund.${state}`));
const MINUTE = 60_000;

export class Clients {
  readonly violations: string[] = [];
  readonly #harness: Harness;
  readonly #orders = new Map<string, RefundOrder>();
  /** Orders that a client compensated because nothing was accepted for them. Nothing with their keys may be accepted later. */
  readonly #refused = new Map<string, RefundOrder>();
  #again = 0;

  constructor(harness: Harness) {
    this.#harness = harness;
    const closed: Harness['onClosed'] = (workflowId, outcome) => this.#closed(workflowId, outcome);
    harness.onClosed = closed; // see `Harness.onNotification`
  }

  /** Starts a client's workflow: it calls `payBack`, and compensates as `examples/order-cancellation` does. */
  begin(workflowId: string, order: RefundOrder): void {
    const { cluster, random, scheduler, chaos } = this.#harness;
    this.#orders.set(workflowId, order);
    cluster.start('payBack', workflowId, [order, 'refunds'], 'use_existing');
    if (!random.chance(0.3)) return;
    scheduler.after(random.spread(1, 10 * MINUTE), () => {
      if (chaos.isOn) this.#interfere(workflowId, order);
    });
  }

  #interfere(workflowId: string, order: RefundOrder): void {
    const { cluster, random, scheduler } = this.#harness;
    const run = cluster.runsOf(workflowId).at(-1);
    if (run === undefined) return;
    switch (random.between(0, 4)) {
      case 0:
      case 1:
        this.#note('cancel the client');
        cluster.cancel(workflowId);
        return;
      case 2:
        if (run.isReplaying || run.execution.log.length === 0) return;
        this.#note('reset the client');
        cluster.reset(run, random.between(1, run.execution.log.length));
        return;
      default: {
        this.#note('terminate the client and start it again');
        cluster.terminate(run);
        this.#again += 1;
        const next = `${workflowId}-again-${this.#again}`;
        scheduler.after(random.spread(1, MINUTE), () => {
          this.begin(next, order);
          // Canceled at its first moment: a workflow that has requested nothing yet must not conclude that there is no refund.
          if (random.chance(0.5)) cluster.cancel(next);
        });
      }
    }
  }

  #note(what: string): void {
    this.#harness.coverage.hit('interference', what);
    this.#harness.trace.note('operator', what);
  }

  /** Returns all violations, among them orders that were accepted after their client had compensated. */
  atRest(): readonly string[] {
    const late = [...this.#refused].flatMap(([workflowId, order]) =>
      this.#refundOf(order) === undefined || this.#isShared(order)
        ? []
        : [`${workflowId} was compensated, and its order was accepted afterwards`],
    );
    return [...this.violations, ...late];
  }

  #closed(workflowId: string, outcome: Outcome): void {
    const order = this.#orders.get(workflowId);
    if (order === undefined) return;
    const refund = this.#refundOf(order);
    const state = refund?.['state'];
    if (outcome.kind === 'completed' && (refund === undefined || !this.#hasEnded(refund)))
      this.violations.push(`${workflowId} received a result, and its refund is ${String(state)}`);
    if (!isCompensated(outcome)) return;
    this.#harness.coverage.hit('client', 'compensates');
    if (refund === undefined) this.#refused.set(workflowId, order);
    // Of two clients with one key, the other one's order may have been accepted since this one's was refused.
    else if (state !== 'canceled' && !this.#isShared(order))
      this.violations.push(`${workflowId} was compensated, and its refund is ${String(state)}`);
  }

  /** True if the refund is final or was final: it may have been returned between the client's read and the end of the client's run. */
  #hasEnded(refund: Row): boolean {
    return this.#harness.database.tables.rows.events.some(
      (event) => event['refund_id'] === refund['id'] && FINAL_EVENTS.has(event['type']),
    );
  }

  #refundOf({ clientId, idempotencyKey }: RefundOrder): Row | undefined {
    return this.#harness.database.tables.rows.refunds.find(
      (row) => row['client_id'] === clientId && row['idempotency_key'] === idempotencyKey,
    );
  }

  /** True if several clients use one key: the acceptance of one does not count for another. */
  #isShared(order: RefundOrder): boolean {
    const same = [...this.#orders].filter(([, other]) => other.idempotencyKey === order.idempotencyKey);
    return same.length > 1 || order.idempotencyKey === 'key-0';
  }
}

function isCompensated(outcome: Outcome): boolean {
  return outcome.kind === 'cancelled' || (outcome.kind === 'failed' && isSafeToCompensate(outcome.error));
}
