/** Notes of a soak run about its requests and their answers, stored outside everything that it kills. The ledger is checked against them. */
import type { Refund, RefundOrder } from '../../client/index.js';

/** A request for a refund, or for a credit. */
export interface Order extends RefundOrder {
  readonly askedFor?: 'credit';
}

/** A request whose call failed. The refund is stored completely or not at all. */
export interface Doubt {
  readonly order: Order;
  readonly error: string;
}

/** A proposed correction of the attempt with this reference, or, without one, the closing of cases. */
export interface Proposed {
  readonly outcome: 'succeeded' | 'failed' | 'case_closed';
  readonly reference?: string;
}

export class Notes {
  /** The client's answer when each refund was accepted, by its id. */
  readonly accepted = new Map<string, Refund>();
  /** By idempotency key. */
  readonly doubts = new Map<string, Doubt>();
  readonly refusedAs = new Map<string, number>();
  readonly faults = new Map<string, number>();
  /** Fault rules that were set at the gateway, by kind. */
  readonly rules = new Map<string, number>();
  /** Refunds that were confirmed as withdrawn: nothing may be paid for them. */
  readonly withdrawn = new Set<string>();
  /** Corrections that were proposed for a refund, whether or not they were accepted. */
  readonly proposed = new Map<string, readonly Proposed[]>();
  /** Operators' commands without an answer. They may have had an effect; repeating them is safe. */
  readonly unanswered: { readonly what: string; readonly again: () => Promise<unknown> }[] = [];
  /** Answers that break a promise of the client, as sentences. */
  readonly wrong: string[] = [];
  /** Ids of refunds that the HTTP API answered, by idempotency key. */
  readonly promised = new Map<string, string>();
  /** Calls over HTTP by status; `none` where no answer came. */
  readonly apiAnswers = new Map<string, number>();
  /** Ids of transactions in forged notifications, encrypted without the gateway's key. */
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

  /** `isNew`: answered 202. A key gets this answer at most once; it may be lost. */
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
