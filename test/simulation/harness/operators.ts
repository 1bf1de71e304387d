/** Interference: operators at bad moments, workflow resets, second runs, failing processes and an unavailable database. */
import {
  decideUpdate,
  gatewayNotification,
  refundWorkflowId,
  syncUpdate,
  withdrawUpdate,
} from '../../../workflows/refund/contract.js';
import { startRefund } from '../simulation-run.js';
import { OperatorActs } from './operator-acts.js';
import type { Harness } from './harness.js';
import type { Outcome } from '../temporal/execution.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export class Operators {
  readonly #harness: Harness;
  readonly #acts: OperatorActs;
  /** Result of each command, by the command's unique ticket. */
  readonly results = new Map<string, Outcome>();
  #reviews = 0;
  #tickets = 0;

  constructor(harness: Harness) {
    this.#harness = harness;
    this.#acts = new OperatorActs(harness);
    const shown: Harness['onShown'] = (workflowId, pairs) => this.#shown(workflowId, pairs);
    harness.onShown = shown; // see `Harness.onShown`
  }

  schedule(): void {
    const { random, scheduler, mix } = this.#harness;
    for (let index = 0; index < mix.acts; index += 1)
      scheduler.after(random.spread(5, DAY), () => {
        if (this.#harness.chaos.isOn) this.interfere();
      });
    for (let index = 0; index < mix.breakdowns; index += 1)
      scheduler.after(random.spread(5, DAY), () => {
        if (this.#harness.chaos.isOn) this.#breakSomething();
      });
  }

  #note(what: string): void {
    this.#harness.coverage.hit('interference', what);
    this.#harness.trace.note('operator', what);
  }

  #refundId(): string | undefined {
    const { random, database } = this.#harness;
    const { refunds } = database.tables.rows;
    const row = refunds[random.between(0, Math.max(0, refunds.length - 1))];
    return row === undefined ? undefined : String(row['id']);
  }

  interfere(): void {
    const { random, cluster, scheduler } = this.#harness;
    const refundId = this.#refundId();
    if (refundId === undefined) return;
    const workflowId = refundWorkflowId(refundId);
    const run = cluster.runsOf(workflowId).at(-1);
    const update = (name: string, message?: object): void => this.#update(refundId, name, message);
    switch (random.between(0, 13)) {
      case 13:
        this.#replay(refundId);
        return;
      case 10:
      case 11:
      case 12:
        this.#actOf(refundId, update);
        return;
      case 0:
        this.withdraw();
        return;
      case 1:
      case 2:
        this.#note('sync');
        update(syncUpdate.name);
        return;
      case 3:
        this.#note('cancel the workflow');
        cluster.cancel(workflowId);
        return;
      case 4:
        if (run === undefined) return;
        this.#note('terminate and start again');
        cluster.terminate(run);
        scheduler.after(random.spread(1, 10 * MINUTE), () => startRefund(this.#harness, refundId));
        return;
      case 5:
      case 6:
        if (run === undefined || run.isReplaying || run.execution.log.length === 0) return;
        this.#note('reset');
        cluster.reset(run, random.between(1, run.execution.log.length));
        return;
      case 7:
        this.#note('start a second run beside');
        startRefund(this.#harness, refundId, 'second');
        return;
      case 8:
        if (run === undefined) return;
        this.#note('evict and replay');
        cluster.evict(run);
        return;
      default:
        this.#note('approve at a bad moment');
        update(decideUpdate.name, {
          verdict: random.pick(['approved', 'refused']),
          instruction: 'of-another-time',
          by: 'approver',
          reason: 'ok',
        });
    }
  }

  withdraw(): void {
    const refundId = this.#refundId();
    if (refundId === undefined) return;
    this.#note('withdraw');
    this.#update(refundId, withdrawUpdate.name, { by: 'operator', reason: 'no longer wanted' });
  }

  /** Sends an update. Starts the workflow first if it does not run, as every client does. */
  #update(refundId: string, name: string, message?: object): void {
    const workflowId = refundWorkflowId(refundId);
    if (this.#send(workflowId, name, message)) return;
    startRefund(this.#harness, refundId);
    this.#send(workflowId, name, message);
  }

  /** Sends an update to a run; false if no run receives it. */
  #send(workflowId: string, name: string, message?: object): boolean {
    const { cluster, trace } = this.#harness;
    this.#tickets += 1;
    const ticket = `ticket ${this.#tickets}`;
    const args = message === undefined ? [] : [{ ...message, ticket }];
    return cluster.update(workflowId, name, args, (outcome) => {
      this.results.set(ticket, outcome);
      if (trace.isKept) trace.note(ticket, `${name}: ${JSON.stringify(outcome).slice(0, 160)}`);
    });
  }

  /** Replays a refund because its cause is fixed: the ledger decides whether the refund may continue, and its run is notified. */
  #replay(refundId: string): void {
    const { ledger, cluster } = this.#harness;
    this.#note('replay');
    const workflowId = refundWorkflowId(refundId);
    ledger
      .replay({ refundId, by: 'operator', reason: 'the cause is fixed' })
      .then(({ kind }) => {
        this.#harness.trace.note('operator', `replay: ${kind}`);
        if (kind !== 'replayed') return;
        this.#harness.coverage.hit('interference', 'replayed');
        cluster.signal(workflowId, gatewayNotification.name);
      })
      .catch((error: unknown) => this.#harness.fail(error));
  }

  /** Sends a command that needs evidence. The operator's statement is true here; the test is how the program treats it. */
  #actOf(refundId: string, update: (name: string, message: object) => void): void {
    const act = this.#acts.draw(refundId);
    if (act === undefined) return;
    this.#note(act.name);
    update(act.update, act.message);
  }

  #breakSomething(): void {
    const { random, processes, scheduler } = this.#harness;
    const process = processes[random.between(0, processes.length - 1)];
    switch (random.between(0, 2)) {
      case 0:
        this.#note('process dies');
        process?.crash();
        return;
      case 1:
        this.#note('process freezes');
        process?.freeze(random.spread(1_000, DAY / 4));
        return;
      default:
        this.#note('database unavailable');
        this.#harness.isDatabaseDown = true;
        scheduler.after(random.spread(100, MINUTE), () => (this.#harness.isDatabaseDown = false));
    }
  }

  #shown(workflowId: string, pairs: readonly unknown[]): void {
    const { trace, random, scheduler } = this.#harness;
    const state = valueOf(pairs, 'RefundState');
    trace.note('workflow', `${workflowId.slice(-6)} shows ${String(state)}`);
    if (state !== 'awaiting_approval' && state !== 'manual_review') return;
    // An approval of the wrong instruction is requested again; operators stop after some of them.
    this.#reviews += 1;
    if (this.#reviews > 40) return;
    if (state === 'awaiting_approval')
      scheduler.after(random.spread(1_000, DAY), () => this.#decide(workflowId));
    else if (random.chance(0.3))
      scheduler.after(random.spread(1_000, DAY), () => this.#replay(workflowId.slice('refund-'.length)));
    else if (random.chance(0.4))
      scheduler.after(random.spread(1_000, DAY), () => {
        const refundId = workflowId.slice('refund-'.length);
        this.#actOf(refundId, (name, message) => this.#send(workflowId, name, message));
      });
    else if (random.chance(0.25))
      scheduler.after(random.spread(1_000, DAY), () => {
        this.#note('withdraw what waits for an operator');
        this.#send(workflowId, withdrawUpdate.name, { by: 'operator', reason: 'settled by telephone' });
      });
  }

  #decide(workflowId: string): void {
    const { random, database } = this.#harness;
    const refundId = workflowId.slice('refund-'.length);
    const row = database.tables.rows.refunds.find((refund) => refund['id'] === refundId);
    const instruction = row?.['instruction'];
    const hash: unknown =
      typeof instruction === 'object' && instruction !== null && 'hash' in instruction
        ? instruction.hash
        : undefined;
    if (typeof hash !== 'string') return;
    const message = random.pick([
      { verdict: 'approved', instruction: hash, by: 'approver', reason: 'ok' },
      { verdict: 'approved', instruction: hash, by: 'approver', reason: 'ok' },
      { verdict: 'approved', instruction: hash, by: 'asker', reason: 'my own' },
      { verdict: 'approved', instruction: `${hash.slice(1)}0`, by: 'approver', reason: 'another one' },
      { verdict: 'refused', instruction: hash, by: 'approver', reason: 'no' },
    ]);
    this.#note(
      `${message.verdict} by ${message.by}${message.instruction === hash ? '' : ' of something else'}`,
    );
    this.#send(workflowId, decideUpdate.name, message);
  }
}

function valueOf(pairs: readonly unknown[], name: string): unknown {
  for (const pair of pairs)
    if (typeof pair === 'object' && pair !== null && 'key' in pair && 'value' in pair) {
      const { key } = pair;
      if (typeof key === 'object' && key !== null && 'name' in key && key.name === name) return pair.value;
    }
  return undefined;
}
