/** The queue of notifications that the gateway sends by webhook. webhooks.ts encrypts and posts them. */
import { recordBody } from './bodies.js';
import type { Faults } from './faults.js';
import { subjectOf } from './subjects.js';
import type { IdSource } from './ids.js';
import type { Entity } from './settings.js';
import type { AnswerBody, Transaction } from './types.js';

/** The content of a webhook before encryption. */
export interface NotificationContent {
  readonly type: string;
  readonly action?: string;
  readonly payload?: unknown;
}

export interface Notification {
  readonly entityId: string;
  /** Milliseconds of the gateway's clock. */
  readonly dueAt: number;
  readonly content: NotificationContent;
  /** `wrong`: encrypted with another key than the merchant's, as a forged webhook is. */
  readonly key: 'right' | 'wrong';
}

type PaymentPayload = AnswerBody & {
  readonly authentication: { readonly entityId: string };
};

function kindOf({ type }: Transaction): Pick<NotificationContent, 'type' | 'action'> {
  if (type === 'RG') return { type: 'REGISTRATION', action: 'CREATED' };
  return type === 'DR' ? { type: 'REGISTRATION', action: 'DELETED' } : { type: 'PAYMENT' };
}

export class Notifications {
  readonly #waiting: Notification[] = [];
  /** Held first notifications, by transaction: each is sent after the second one. */
  readonly #held = new Map<string, Notification>();

  /** Queues a notification with the current state of `transaction`. A fault can lose, double, delay or hold it. */
  announce(ids: IdSource, entity: Entity, transaction: Transaction, faults: Faults, now: number): void {
    const payload: PaymentPayload = {
      authentication: { entityId: entity.id },
      ...recordBody(ids, entity, transaction),
    };
    const notification: Notification = {
      entityId: entity.id,
      dueAt: now,
      content: { ...kindOf(transaction), payload },
      key: 'right',
    };
    const fault = faults.take('notification', subjectOf(transaction));
    switch (fault?.how) {
      case 'lost':
        break;
      case 'out_of_order':
        this.#held.set(transaction.id, notification);
        return;
      case 'duplicate':
        this.add(notification, { ...notification, dueAt: now + fault.ms });
        break;
      case 'delay':
        this.add({ ...notification, dueAt: now + fault.ms });
        break;
      case undefined:
        this.add(notification);
    }
    const held = this.#held.get(transaction.id);
    if (held === undefined) return;
    this.#held.delete(transaction.id);
    this.add({ ...held, dueAt: now });
  }

  /** Adds notifications, sorted by `dueAt`; those with the same `dueAt` stay in the order in which they were added. */
  add(...notifications: readonly Notification[]): void {
    for (const notification of notifications) {
      const before = this.#waiting.findLastIndex((other) => other.dueAt <= notification.dueAt);
      this.#waiting.splice(before + 1, 0, notification);
    }
  }

  /** Removes and returns the notifications that are due. */
  due(now: number): Notification[] {
    // Sorted by `dueAt`, so those that are due are at the front.
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
