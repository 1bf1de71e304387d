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
      const fault = chaos.ledger(name);
      if (fault !== undefined) trace.note(process.name, `${name}: fault ${fault}`);
      const answer = (act: () => void): void => {
        if (fault === 'crash_after') process.crash();
        if (fault === 'freeze_after') chaos.stop(process);
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
      if (fault === 'freeze_before') chaos.stop(process);
      process.deliver(send);
    });
  }

  accept(...args: Parameters<Ledger['accept']>): ReturnType<Ledger['accept']> {
    return this.#call('accept', (ledger) => ledger.accept(...args));
  }
  findPayment(...args: Parameters<Ledger['findPayment']>): ReturnType<Ledger['findPayment']> {
    return this.#call('findPayment', (ledger) => ledger.findPayment(...args));
  }
  findRefund(...args: Parameters<Ledger['findRefund']>): ReturnType<Ledger['findRefund']> {
    return this.#call('findRefund', (ledger) => ledger.findRefund(...args));
  }
  listRefunds(...args: Parameters<Ledger['listRefunds']>): ReturnType<Ledger['listRefunds']> {
    return this.#call('listRefunds', (ledger) => ledger.listRefunds(...args));
  }
  position(...args: Parameters<Ledger['position']>): ReturnType<Ledger['position']> {
    return this.#call('position', (ledger) => ledger.position(...args));
  }
  beforeQuery(...args: Parameters<Ledger['beforeQuery']>): ReturnType<Ledger['beforeQuery']> {
    return this.#call('beforeQuery', (ledger) => ledger.beforeQuery(...args));
  }
  scope(...args: Parameters<Ledger['scope']>): ReturnType<Ledger['scope']> {
    return this.#call('scope', (ledger) => ledger.scope(...args));
  }
  openLinked(...args: Parameters<Ledger['openLinked']>): ReturnType<Ledger['openLinked']> {
    return this.#call('openLinked', (ledger) => ledger.openLinked(...args));
  }
  openCredit(...args: Parameters<Ledger['openCredit']>): ReturnType<Ledger['openCredit']> {
    return this.#call('openCredit', (ledger) => ledger.openCredit(...args));
  }
  record(...args: Parameters<Ledger['record']>): ReturnType<Ledger['record']> {
    return this.#call('record', (ledger) => ledger.record(...args));
  }
  keepIds(...args: Parameters<Ledger['keepIds']>): ReturnType<Ledger['keepIds']> {
    return this.#call('keepIds', (ledger) => ledger.keepIds(...args));
  }
  clock(...args: Parameters<Ledger['clock']>): ReturnType<Ledger['clock']> {
    return this.#call('clock', (ledger) => ledger.clock(...args));
  }
  inquiry(...args: Parameters<Ledger['inquiry']>): ReturnType<Ledger['inquiry']> {
    return this.#call('inquiry', (ledger) => ledger.inquiry(...args));
  }
  recordMiss(...args: Parameters<Ledger['recordMiss']>): ReturnType<Ledger['recordMiss']> {
    return this.#call('recordMiss', (ledger) => ledger.recordMiss(...args));
  }
  recordOriginal(...args: Parameters<Ledger['recordOriginal']>): ReturnType<Ledger['recordOriginal']> {
    return this.#call('recordOriginal', (ledger) => ledger.recordOriginal(...args));
  }
  applyFinding(...args: Parameters<Ledger['applyFinding']>): ReturnType<Ledger['applyFinding']> {
    return this.#call('applyFinding', (ledger) => ledger.applyFinding(...args));
  }
  ask(...args: Parameters<Ledger['ask']>): ReturnType<Ledger['ask']> {
    return this.#call('ask', (ledger) => ledger.ask(...args));
  }
  noteUnreadable(...args: Parameters<Ledger['noteUnreadable']>): ReturnType<Ledger['noteUnreadable']> {
    return this.#call('noteUnreadable', (ledger) => ledger.noteUnreadable(...args));
  }
  noteReadable(...args: Parameters<Ledger['noteReadable']>): ReturnType<Ledger['noteReadable']> {
    return this.#call('noteReadable', (ledger) => ledger.noteReadable(...args));
  }
  replay(...args: Parameters<Ledger['replay']>): ReturnType<Ledger['replay']> {
    return this.#call('replay', (ledger) => ledger.replay(...args));
  }
  waitingSums(...args: Parameters<Ledger['waitingSums']>): ReturnType<Ledger['waitingSums']> {
    return this.#call('waitingSums', (ledger) => ledger.waitingSums(...args));
  }
  waitingAfter(...args: Parameters<Ledger['waitingAfter']>): ReturnType<Ledger['waitingAfter']> {
    return this.#call('waitingAfter', (ledger) => ledger.waitingAfter(...args));
  }
  giveUp(...args: Parameters<Ledger['giveUp']>): ReturnType<Ledger['giveUp']> {
    return this.#call('giveUp', (ledger) => ledger.giveUp(...args));
  }
  withdraw(...args: Parameters<Ledger['withdraw']>): ReturnType<Ledger['withdraw']> {
    return this.#call('withdraw', (ledger) => ledger.withdraw(...args));
  }
  decide(...args: Parameters<Ledger['decide']>): ReturnType<Ledger['decide']> {
    return this.#call('decide', (ledger) => ledger.decide(...args));
  }
  missOriginal(...args: Parameters<Ledger['missOriginal']>): ReturnType<Ledger['missOriginal']> {
    return this.#call('missOriginal', (ledger) => ledger.missOriginal(...args));
  }
  adopt(...args: Parameters<Ledger['adopt']>): ReturnType<Ledger['adopt']> {
    return this.#call('adopt', (ledger) => ledger.adopt(...args));
  }
  refuseAdoption(...args: Parameters<Ledger['refuseAdoption']>): ReturnType<Ledger['refuseAdoption']> {
    return this.#call('refuseAdoption', (ledger) => ledger.refuseAdoption(...args));
  }
  correct(...args: Parameters<Ledger['correct']>): ReturnType<Ledger['correct']> {
    return this.#call('correct', (ledger) => ledger.correct(...args));
  }
  confirm(...args: Parameters<Ledger['confirm']>): ReturnType<Ledger['confirm']> {
    return this.#call('confirm', (ledger) => ledger.confirm(...args));
  }
  redirect(...args: Parameters<Ledger['redirect']>): ReturnType<Ledger['redirect']> {
    return this.#call('redirect', (ledger) => ledger.redirect(...args));
  }
  note(...args: Parameters<Ledger['note']>): ReturnType<Ledger['note']> {
    return this.#call('note', (ledger) => ledger.note(...args));
  }
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
