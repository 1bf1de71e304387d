/** What a soak run did and was told, kept outside of everything that it kills: at the end the ledger is held against it. */
import type { Refund, RefundOrder } from '../../client/index.js';

/** What is asked for, and as what. */
export interface Order extends RefundOrder {
  readonly askedFor?: 'credit';
}

/** A request whose call failed: the refund may be there, whole, or not there at all. */
export interface Doubt {
  readonly order: Order;
  readonly error: string;
}

/** `reference`: of which attempt; where there is none, cases are closed. */
export interface Proposed {
  readonly outcome: 'succeeded' | 'failed' | 'case_closed';
  readonly reference?: string;
}

export class Notes {
  /** What the client answered with when each refund was accepted, by its id. */
  readonly accepted = new Map<string, Refund>();
  /** By idempotency key. */
  readonly doubts = new Map<string, Doubt>();
  readonly refusedAs = new Map<string, number>();
  readonly faults = new Map<string, number>();
  /** Rules of misbehaviour given to the gateway, by kind. */
  readonly rules = new Map<string, number>();
  /** Refunds that an operator was told are withdrawn: nothing may be paid for them. */
  readonly withdrawn = new Set<string>();
  /** What was said about the attempts of a refund in corrections, whether or not it was taken. */
  readonly proposed = new Map<string, readonly Proposed[]>();
  /** Words of persons that got no answer: whether they count is open, and the same word again is safe. */
  readonly unanswered: { readonly what: string; readonly again: () => Promise<unknown> }[] = [];
  /** Answers that contradict what the client promises, as sentences. */
  readonly wrong: string[] = [];
  /** What the HTTP API answered with, by idempotency key. */
  readonly promised = new Map<string, string>();
  /** Calls over HTTP by status; `none` where no answer came. */
  readonly apiAnswers = new Map<string, number>();
  /** The ids of transactions that somebody without the key has made up. */
  readonly forged = new Set<string>();
  asked = 0;
  failedCalls = 0;

  readonly #byKey = new Map<string, string>();
  readonly #newKeys = new Set<string>();

  accept(refund: Refund, key: string): void {
    const before = this.#byKey.get(key);
    if (before !== undefined && before !== refund.id)
      this.wrong.push(`one key was answered with two refunds: ${before} and ${refund.id}`);
    this.#byKey.set(key, refund.id);
    if (!this.accepted.has(refund.id)) this.accepted.set(refund.id, refund);
  }

  /** `isNew`: answered 202, which is said once for a key, or to nobody where that answer is lost. */
  promise(key: string, refundId: string, isNew: boolean): void {
    this.promised.set(key, refundId);
    if (!isNew) return;
    if (this.#newKeys.has(key)) this.wrong.push(`key ${key} was answered 202 twice`);
    this.#newKeys.add(key);
  }

  refuse(code: string): void {
    add(this.refusedAs, code);
  }

  fault(kind: string): void {
    add(this.faults, kind);
  }
}

export function add(counts: Map<string, number>, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}
