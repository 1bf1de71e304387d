/** The ledger as one activity reaches it: over a network, from a process that may die, to a database that may be away. */
import type { Ledger } from '../../../ledger/ledger.js';
import type { ActivityContext } from './process.js';
import type { World } from './world.js';

/** As the driver for PostgreSQL says it: not a decision of the ledger. */
class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

export class LedgerLink implements Ledger {
  readonly #world: World;
  readonly #context: ActivityContext;
  readonly #ledger: Ledger;

  constructor(world: World, context: ActivityContext, ledger: Ledger) {
    this.#world = world;
    this.#context = context;
    this.#ledger = ledger;
  }

  #call<T>(name: string, work: (ledger: Ledger) => Promise<T>): Promise<T> {
    const { scheduler, chaos, random, trace } = this.#world;
    const { process } = this.#context;
    return new Promise((resolve, reject) => {
      const fault = chaos.ledger();
      if (fault !== undefined) trace.note(process.name, `${name}: fault ${fault}`);
      const answer = (act: () => void): void => {
        if (fault === 'crash_after') process.crash();
        if (fault === 'freeze_after') process.freeze(chaos.freezeMs());
        process.deliver(act);
      };
      const refuse = (why: string): void => process.deliver(() => reject(new ConnectionLost(why)));
      const send = (): void => {
        scheduler.after(fault === 'slow' ? random.between(500, 30_000) : random.between(1, 4), () => {
          if (this.#world.isDatabaseDown || fault === 'connection_refused') {
            refuse('connection refused');
            return;
          }
          work(this.#ledger).then(
            (value) => {
              if (trace.isKept) trace.note(process.name, `${name} → ${brief(value)}`);
              if (fault === 'commit_answer_lost') refuse('connection terminated');
              else answer(() => resolve(value));
            },
            (error: unknown) => {
              if (trace.isKept) trace.note(process.name, `${name} ✗ ${String(error)}`);
              answer(() => reject(error instanceof Error ? error : new Error(String(error))));
            },
          );
        });
      };
      if (fault === 'crash_before') process.crash();
      if (fault === 'freeze_before') process.freeze(chaos.freezeMs());
      process.deliver(send);
    });
  }

  readonly accept: Ledger['accept'] = (order, imported) =>
    this.#call('accept', (l) => l.accept(order, imported));
  readonly findPayment: Ledger['findPayment'] = (id) => this.#call('findPayment', (l) => l.findPayment(id));
  readonly findRefund: Ledger['findRefund'] = (id) => this.#call('findRefund', (l) => l.findRefund(id));
  readonly listRefunds: Ledger['listRefunds'] = (filter) =>
    this.#call('listRefunds', (l) => l.listRefunds(filter));
  readonly position: Ledger['position'] = (id) => this.#call('position', (l) => l.position(id));
  readonly scope: Ledger['scope'] = (id) => this.#call('scope', (l) => l.scope(id));
  readonly openLinked: Ledger['openLinked'] = (id, timings, policy) =>
    this.#call('openLinked', (l) => l.openLinked(id, timings, policy));
  readonly openCredit: Ledger['openCredit'] = (id, original, timings, policy) =>
    this.#call('openCredit', (l) => l.openCredit(id, original, timings, policy));
  readonly record: Ledger['record'] = (evidence) => this.#call('record', (l) => l.record(evidence));
  readonly inquiry: Ledger['inquiry'] = (id) => this.#call('inquiry', (l) => l.inquiry(id));
  readonly recordMiss: Ledger['recordMiss'] = (id, miss, timings) =>
    this.#call('recordMiss', (l) => l.recordMiss(id, miss, timings));
  readonly recordOriginal: Ledger['recordOriginal'] = (id, original) =>
    this.#call('recordOriginal', (l) => l.recordOriginal(id, original));
  readonly applyFinding: Ledger['applyFinding'] = (id, original, purpose) =>
    this.#call('applyFinding', (l) => l.applyFinding(id, original, purpose));
  readonly ask: Ledger['ask'] = (id, why, details) => this.#call('ask', (l) => l.ask(id, why, details));
  readonly giveUp: Ledger['giveUp'] = (id, why, actor) =>
    this.#call('giveUp', (l) => l.giveUp(id, why, actor));
  readonly missOriginal: Ledger['missOriginal'] = (id, timings) =>
    this.#call('missOriginal', (l) => l.missOriginal(id, timings));
  readonly withdraw: Ledger['withdraw'] = (id, by, reason, ticket) =>
    this.#call('withdraw', (l) => l.withdraw(id, by, reason, ticket));
  readonly decide: Ledger['decide'] = (decision) => this.#call('decide', (l) => l.decide(decision));
  readonly adopt: Ledger['adopt'] = (adoption, timings) =>
    this.#call('adopt', (l) => l.adopt(adoption, timings));
  readonly correct: Ledger['correct'] = (correction, plan) =>
    this.#call('correct', (l) => l.correct(correction, plan));
  readonly confirm: Ledger['confirm'] = (confirmation, timings) =>
    this.#call('confirm', (l) => l.confirm(confirmation, timings));
  readonly redirect: Ledger['redirect'] = (redirection) =>
    this.#call('redirect', (l) => l.redirect(redirection));
  readonly note: Ledger['note'] = (id, what, word) => this.#call('note', (l) => l.note(id, what, word));
}

/** One line of what came back. */
function brief(value: unknown): string {
  const text = JSON.stringify([value], (key, inside: unknown) =>
    typeof inside === 'bigint'
      ? inside.toString()
      : key === 'original' || key === 'refundId'
        ? undefined
        : inside,
  );
  return text.slice(1, 260);
}
