/** Timeline of a payment or refund: events, queries and webhooks, oldest first. Read for operators only. */
import type { Database } from '../db/database.js';
import { webhooksOf } from '../inbox/webhooks.js';

export interface TimelineRow {
  /** Unique and stable id: `event:17`, `query:4`, `webhook:9`. */
  readonly id: string;
  readonly at: Date;
  /** An event's type, `query`, or `webhook`. A webhook is only a claim of the gateway until an event confirms it. */
  readonly type: string;
  readonly actor: string;
  readonly refundId: string | null;
  readonly attemptId: string | null;
  /** Changes of the payment's balances in minor units; zero for queries and webhooks. */
  readonly reservedMinor: bigint;
  readonly succeededMinor: bigint;
  readonly returnedMinor: bigint;
  readonly disputedMinor: bigint;
  readonly data: Readonly<Record<string, unknown>>;
}

const NOTHING = { reservedMinor: 0n, succeededMinor: 0n, returnedMinor: 0n, disputedMinor: 0n } as const;

export async function readTimeline(
  database: Database,
  subject: { readonly paymentId: string } | { readonly refundId: string },
): Promise<readonly TimelineRow[]> {
  const { db } = database;
  const [column, id] =
    'paymentId' in subject
      ? (['payment_id', subject.paymentId] as const)
      : (['refund_id', subject.refundId] as const);
  const events = await db.selectFrom('events').selectAll().where(column, '=', id).orderBy('id').execute();
  const queries = await db
    .selectFrom('queries')
    .innerJoin('attempts', 'attempts.id', 'queries.attempt_id')
    .select(['queries.id', 'queries.at', 'queries.answer', 'attempts.refund_id', 'queries.attempt_id'])
    .where(`attempts.${column}`, '=', id)
    .orderBy('queries.id')
    .execute();
  const webhooks = await webhooksOf(database, subject);
  const entries: readonly TimelineRow[] = [
    ...events.map((event) => ({
      id: `event:${event.id}`,
      at: event.at,
      type: event.type,
      actor: event.actor,
      refundId: event.refund_id,
      attemptId: event.attempt_id,
      reservedMinor: event.reserved_delta,
      succeededMinor: event.succeeded_delta,
      returnedMinor: event.returned_delta,
      disputedMinor: event.disputed_delta,
      data: event.data,
    })),
    ...queries.map((query) => ({
      id: `query:${query.id}`,
      at: query.at,
      type: 'query',
      actor: 'gateway',
      refundId: query.refund_id,
      attemptId: query.attempt_id,
      ...NOTHING,
      data: { answer: query.answer },
    })),
    ...webhooks.map((webhook) => ({
      id: `webhook:${webhook.id}`,
      at: webhook.receivedAt,
      type: 'webhook',
      actor: 'gateway',
      refundId: webhook.refundId,
      attemptId: webhook.attemptId,
      ...NOTHING,
      data: {
        paymentType: webhook.paymentType,
        gatewayId: webhook.gatewayId,
        code: webhook.resultCode,
        description: webhook.resultDescription,
        amount: webhook.amount,
        currency: webhook.currency,
        gatewayTimestamp: webhook.gatewayTimestamp,
        state: webhook.state,
        why: webhook.why,
      },
    })),
  ];
  return entries.toSorted((a, b) => a.at.getTime() - b.at.getTime());
}

/** Returns the amount of credits that were paid on a payment, also if they were returned. Minor units. */
export async function creditedOn({ db }: Database, paymentId: string): Promise<bigint> {
  const credits = await db
    .selectFrom('attempts')
    .select('amount_minor')
    .where('payment_id', '=', paymentId)
    .where('operation', '=', 'credit')
    .where('state', 'in', ['succeeded', 'returned'])
    .execute();
  return credits.reduce((sum, { amount_minor }) => sum + amount_minor, 0n);
}
