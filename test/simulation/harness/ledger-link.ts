/** The ledger as one activity reaches it: over a network, from a process that may die, in a database that may be unavailable. */
import type { Ledger } from '../../../ledger/ledger.js';
import type { ActivityContext } from './process.js';
import type { Harness } from './harness.js';

/** An error as the PostgreSQL driver throws it: not a decision of the ledger. */
class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

export class LedgerLink implements Ledger {
  readonly #harness: Harness;
  readonly #context: ActivityContext;
  readonly #ledger: Ledger;

  constructor(harness: Harness, context: ActivityContext, ledger: Ledger) {
    this.#harness = harness;
    this.#context = context;
    this.#ledger = ledger;
  }

  #call<T>(name: string, work: (ledger: Ledger) => Promise<T>): Promise<T> {
    const { scheduler, chaos, random, trace } = this.#harness;
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
          if (this.#harness.isDatabaseDown || fault === 'connection_refused') {
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
  snapshot(...args: Parameters<Ledger['snapshot']>): ReturnType<Ledger['snapshot']> {
    return this.#call('snapshot', (ledger) => ledger.snapshot(...args));
  }
  paymentBeforeQuery(
    ...args: Parameters<Ledger['paymentBeforeQuery']>
  ): ReturnType<Ledger['paymentBeforeQuery']> {
    return this.#call('paymentBeforeQuery', (ledger) => ledger.paymentBeforeQuery(...args));
  }
  scope(...args: Parameters<Ledger['scope']>): ReturnType<Ledger['scope']> {
    return this.#call('scope', (ledger) => ledger.scope(...args));
  }
  openLinked(...args: Parameters<Ledger['openLinked']>): ReturnType<Ledger['openLinked']> {
    return this.#call('openLinked', (ledger) => ledger.openLinked(...args));
  }
  openRegistration(...args: Parameters<Ledger['openRegistration']>): ReturnType<Ledger['openRegistration']> {
    return this.#call('openRegistration', (ledger) => ledger.openRegistration(...args));
  }
  recordRegistration(
    ...args: Parameters<Ledger['recordRegistration']>
  ): ReturnType<Ledger['recordRegistration']> {
    return this.#call('recordRegistration', (ledger) => ledger.recordRegistration(...args));
  }
  recordRegistrationNotFound(
    ...args: Parameters<Ledger['recordRegistrationNotFound']>
  ): ReturnType<Ledger['recordRegistrationNotFound']> {
    return this.#call('recordRegistrationNotFound', (ledger) => ledger.recordRegistrationNotFound(...args));
  }
  openCredit(...args: Parameters<Ledger['openCredit']>): ReturnType<Ledger['openCredit']> {
    return this.#call('openCredit', (ledger) => ledger.openCredit(...args));
  }
  record(...args: Parameters<Ledger['record']>): ReturnType<Ledger['record']> {
    return this.#call('record', (ledger) => ledger.record(...args));
  }
  storeIds(...args: Parameters<Ledger['storeIds']>): ReturnType<Ledger['storeIds']> {
    return this.#call('storeIds', (ledger) => ledger.storeIds(...args));
  }
  clock(...args: Parameters<Ledger['clock']>): ReturnType<Ledger['clock']> {
    return this.#call('clock', (ledger) => ledger.clock(...args));
  }
  queryTarget(...args: Parameters<Ledger['queryTarget']>): ReturnType<Ledger['queryTarget']> {
    return this.#call('queryTarget', (ledger) => ledger.queryTarget(...args));
  }
  recordInconclusive(
    ...args: Parameters<Ledger['recordInconclusive']>
  ): ReturnType<Ledger['recordInconclusive']> {
    return this.#call('recordInconclusive', (ledger) => ledger.recordInconclusive(...args));
  }
  recordOriginal(...args: Parameters<Ledger['recordOriginal']>): ReturnType<Ledger['recordOriginal']> {
    return this.#call('recordOriginal', (ledger) => ledger.recordOriginal(...args));
  }
  applyReconciliation(
    ...args: Parameters<Ledger['applyReconciliation']>
  ): ReturnType<Ledger['applyReconciliation']> {
    return this.#call('applyReconciliation', (ledger) => ledger.applyReconciliation(...args));
  }
  openCase(...args: Parameters<Ledger['openCase']>): ReturnType<Ledger['openCase']> {
    return this.#call('openCase', (ledger) => ledger.openCase(...args));
  }
  recordUnreadable(...args: Parameters<Ledger['recordUnreadable']>): ReturnType<Ledger['recordUnreadable']> {
    return this.#call('recordUnreadable', (ledger) => ledger.recordUnreadable(...args));
  }
  recordReadable(...args: Parameters<Ledger['recordReadable']>): ReturnType<Ledger['recordReadable']> {
    return this.#call('recordReadable', (ledger) => ledger.recordReadable(...args));
  }
  replay(...args: Parameters<Ledger['replay']>): ReturnType<Ledger['replay']> {
    return this.#call('replay', (ledger) => ledger.replay(...args));
  }
  reviewSums(...args: Parameters<Ledger['reviewSums']>): ReturnType<Ledger['reviewSums']> {
    return this.#call('reviewSums', (ledger) => ledger.reviewSums(...args));
  }
  nextInReview(...args: Parameters<Ledger['nextInReview']>): ReturnType<Ledger['nextInReview']> {
    return this.#call('nextInReview', (ledger) => ledger.nextInReview(...args));
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
  recordPaymentNotFound(
    ...args: Parameters<Ledger['recordPaymentNotFound']>
  ): ReturnType<Ledger['recordPaymentNotFound']> {
    return this.#call('recordPaymentNotFound', (ledger) => ledger.recordPaymentNotFound(...args));
  }
  link(...args: Parameters<Ledger['link']>): ReturnType<Ledger['link']> {
    return this.#call('link', (ledger) => ledger.link(...args));
  }
  refuseLink(...args: Parameters<Ledger['refuseLink']>): ReturnType<Ledger['refuseLink']> {
    return this.#call('refuseLink', (ledger) => ledger.refuseLink(...args));
  }
  correct(...args: Parameters<Ledger['correct']>): ReturnType<Ledger['correct']> {
    return this.#call('correct', (ledger) => ledger.correct(...args));
  }
  confirm(...args: Parameters<Ledger['confirm']>): ReturnType<Ledger['confirm']> {
    return this.#call('confirm', (ledger) => ledger.confirm(...args));
  }
  changeDestination(
    ...args: Parameters<Ledger['changeDestination']>
  ): ReturnType<Ledger['changeDestination']> {
    return this.#call('changeDestination', (ledger) => ledger.changeDestination(...args));
  }
  note(...args: Parameters<Ledger['note']>): ReturnType<Ledger['note']> {
    return this.#call('note', (ledger) => ledger.note(...args));
  }
}

/** Returns a result in one line, for the trace. */
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
