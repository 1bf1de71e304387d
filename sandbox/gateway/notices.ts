/** What the gateway has to tell the merchant by webhook, and when. Encrypting and posting is somebody else's work. */
import { recordBody } from './bodies.js';
import type { Faults } from './faults.js';
import { subjectOf } from './subjects.js';
import type { IdSource } from './ids.js';
import type { Entity } from './settings.js';
import type { AnswerBody, Transaction } from './types.js';

/** The clear text of a webhook. */
export interface NoticeContent {
  readonly type: string;
  readonly action?: string;
  readonly payload?: unknown;
}

export interface Notice {
  readonly entityId: string;
  /** Milliseconds of the gateway's clock. */
  readonly dueAt: number;
  readonly content: NoticeContent;
  /** `wrong`: encrypted by somebody who does not have the merchant's key. */
  readonly key: 'right' | 'wrong';
}

type PaymentPayload = AnswerBody & {
  readonly authentication: { readonly entityId: string };
};

export class Notices {
  readonly #waiting: Notice[] = [];
  /** First notices that are to arrive after the second one, by transaction. */
  readonly #held = new Map<string, Notice>();

  /** Announces the present state of `transaction`, unless a fault loses, doubles, delays or holds the notice. */
  announce(ids: IdSource, entity: Entity, transaction: Transaction, faults: Faults, now: number): void {
    const payload: PaymentPayload = {
      authentication: { entityId: entity.id },
      ...recordBody(ids, entity, transaction),
    };
    const notice: Notice = {
      entityId: entity.id,
      dueAt: now,
      content: { type: 'PAYMENT', payload },
      key: 'right',
    };
    const fault = faults.take('notice', subjectOf(transaction));
    switch (fault?.how) {
      case 'lost':
        break;
      case 'out_of_order':
        this.#held.set(transaction.id, notice);
        return;
      case 'duplicate':
        this.add(notice, { ...notice, dueAt: now + fault.ms });
        break;
      case 'delay':
        this.add({ ...notice, dueAt: now + fault.ms });
        break;
      case undefined:
        this.add(notice);
    }
    const held = this.#held.get(transaction.id);
    if (held === undefined) return;
    this.#held.delete(transaction.id);
    this.add({ ...held, dueAt: now });
  }

  /** Kept in the order of `dueAt`, and of arrival where that is the same. */
  add(...notices: readonly Notice[]): void {
    for (const notice of notices) {
      const before = this.#waiting.findLastIndex((other) => other.dueAt <= notice.dueAt);
      this.#waiting.splice(before + 1, 0, notice);
    }
  }

  /** Hands out what is due, once. */
  due(now: number): Notice[] {
    // In the order of `dueAt`: what is due stands in front.
    let count = 0;
    for (const { dueAt } of this.#waiting) {
      if (dueAt > now) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  nextAt(): number | null {
    return this.#waiting[0]?.dueAt ?? null;
  }
}
