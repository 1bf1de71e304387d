/** Processing of webhooks: claims due ones, finds what each is about, and stores the result. Any number of processes may do it at once. */
import { sql } from 'kysely';
import type { NotifiedAttempt } from '../../domain/refund/notification.js';
import type { RefundState } from '../../domain/refund/states.js';
import type { AttemptState } from '../../domain/refund/attempt-states.js';
import type { RecordedTransaction } from '../../domain/transaction.js';
import type { Operation } from '../../domain/refund/operation.js';
import type { Database } from '../db/database.js';
import { NOW } from '../db/expressions.js';
import { inboxOf, type WebhookRow, type WebhookState } from './webhooks.js';

/** A webhook that this process has claimed for the time of its lease. */
export interface ClaimedWebhook {
  readonly id: string;
  readonly entityId: string;
  readonly state: WebhookState;
  readonly transaction: RecordedTransaction;
  readonly paymentId: string | null;
  readonly refundId: string | null;
  readonly attemptId: string | null;
  readonly tries: number;
  readonly notFoundCount: number;
  /** Milliseconds since it was received, by the database's clock. */
  readonly ageMs: number;
  /** True once a query has shown the reported transaction. */
  readonly isConfirmed: boolean;
}

/** The payment, refund and attempt that a webhook is about, as the ledger knows them. */
export interface WebhookSubject {
  readonly attempt: (NotifiedAttempt & { readonly id: string; readonly refundId: string }) | null;
  readonly refund: { readonly id: string; readonly state: RefundState } | null;
  readonly payment: { readonly id: string; readonly state: 'succeeded' | 'pending' | 'rejected' };
}

/** Claims up to `limit` due webhooks for `leaseMs`. If the process dies, they are due again afterwards. */
export async function claimWebhooks(
  database: Database,
  limit: number,
  leaseMs: number,
): Promise<readonly ClaimedWebhook[]> {
  const rows = await inboxOf(database)
    .updateTable('webhooks')
    .set({ due_at: inMs(leaseMs), tries: sql<number>`tries + 1` })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('webhooks')
        .select('id')
        .where('due_at', '<=', NOW)
        .orderBy('due_at')
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .returningAll()
    .returning(AGE)
    .execute();
  return rows.map(claimed);
}

/** Returns the webhooks that wait until a query of this payment shows them. */
export async function awaitingQuery(
  database: Database,
  paymentId: string,
): Promise<readonly ClaimedWebhook[]> {
  const rows = await inboxOf(database)
    .selectFrom('webhooks')
    .selectAll()
    .select(AGE)
    .where('payment_id', '=', paymentId)
    .where('state', '=', 'received')
    .where('confirmed_at', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map(claimed);
}

const AGE = sql<number>`(extract(epoch from now() - received_at) * 1000)::float8`.as('age');

function claimed(row: WebhookRow & { readonly age: number }): ClaimedWebhook {
  return {
    id: row.id.toString(),
    entityId: row.entity_id ?? '',
    state: row.state,
    transaction: {
      ...(row.gateway_id !== null && { id: row.gateway_id }),
      ...(row.payment_type !== null && { type: row.payment_type }),
      ...(row.amount !== null && { amount: row.amount }),
      ...(row.currency !== null && { currency: row.currency }),
      ...(row.reference !== null && { reference: row.reference }),
      ...(row.referenced_id !== null && { referencedId: row.referenced_id }),
      ...(row.gateway_timestamp !== null && { timestamp: row.gateway_timestamp }),
      result: { code: row.code ?? '', description: row.description ?? '' },
    },
    paymentId: row.payment_id,
    refundId: row.refund_id,
    attemptId: row.attempt_id,
    tries: row.tries,
    notFoundCount: row.not_found_count,
    ageMs: row.age,
    isConfirmed: row.confirmed_at !== null,
  };
}

interface SubjectRow {
  id: bigint;
  payment_id: string | null;
  payment_state: 'succeeded' | 'pending' | 'rejected' | null;
  currency: string | null;
  attempt_id: string | null;
  operation: Operation | null;
  attempt_state: AttemptState | null;
  attempt_gateway_id: string | null;
  attempt_reference: string | null;
  original_id: string | null;
  amount_minor: bigint | null;
  refund_id: string | null;
  refund_state: RefundState | null;
}

/**
 * Returns what each webhook is about, by webhook id. An entity reports about its own payments only. A chargeback may carry the reference
 * of the refund that it disputes, so an attempt matches only if the payment type does; otherwise the webhook is about the payment.
 */
export async function subjectsOf(
  database: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, WebhookSubject>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<SubjectRow>`
    SELECT w.id, p.id AS payment_id, p.state AS payment_state, p.currency,
           a.id AS attempt_id, a.operation, a.state AS attempt_state, a.gateway_id AS attempt_gateway_id,
           a.reference AS attempt_reference, a.original_id, a.amount_minor,
           r.id AS refund_id, r.state AS refund_state
      FROM webhooks w
      LEFT JOIN LATERAL (
        SELECT attempts.* FROM attempts
         WHERE (attempts.reference = w.reference OR attempts.gateway_id = w.gateway_id)
           AND coalesce(w.payment_type, 'refund') = attempts.operation
         ORDER BY (attempts.gateway_id = w.gateway_id) DESC NULLS LAST LIMIT 1
      ) a ON true
      LEFT JOIN refunds r ON r.id = a.refund_id
      JOIN payments p ON p.entity_id = w.entity_id AND p.id = coalesce(
        a.payment_id,
        (SELECT payments.id FROM payments WHERE payments.id IN (w.gateway_id, w.referenced_id) LIMIT 1),
        (SELECT captures.payment_id FROM captures WHERE captures.id IN (w.gateway_id, w.referenced_id) LIMIT 1),
        (SELECT attempts.payment_id FROM attempts
          WHERE attempts.gateway_id IN (w.gateway_id, w.referenced_id) OR attempts.reference = w.reference LIMIT 1),
        (SELECT events.payment_id FROM events
          WHERE events.natural_key IN ('gateway:' || w.gateway_id || ':disputed', 'gateway:' || w.referenced_id || ':disputed',
            'gateway:' || w.gateway_id || ':reversal', 'gateway:' || w.referenced_id || ':reversal',
            'gateway:' || w.gateway_id || ':returned_elsewhere:0', 'gateway:' || w.referenced_id || ':returned_elsewhere:0') LIMIT 1))
     WHERE w.id = ANY(${ids}::bigint[])`.execute(database.db);
  return new Map(
    rows.flatMap((row) => {
      const { payment_id, payment_state } = row;
      if (payment_id === null || payment_state === null) return [];
      const { refund_id, refund_state } = row;
      return [
        [
          row.id.toString(),
          {
            attempt: attemptOf(row),
            refund:
              refund_id === null || refund_state === null ? null : { id: refund_id, state: refund_state },
            payment: { id: payment_id, state: payment_state },
          },
        ],
      ];
    }),
  );
}

function attemptOf(row: SubjectRow): WebhookSubject['attempt'] {
  const { attempt_id, refund_id, operation, attempt_state, attempt_reference, amount_minor, currency } = row;
  if (
    attempt_id === null ||
    refund_id === null ||
    operation === null ||
    attempt_state === null ||
    attempt_reference === null ||
    amount_minor === null ||
    currency === null
  )
    return null;
  return {
    id: attempt_id,
    refundId: refund_id,
    operation,
    state: attempt_state,
    gatewayId: row.attempt_gateway_id,
    reference: attempt_reference,
    amountMinor: amount_minor,
    currency,
    ...(row.original_id === null ? {} : { originalId: row.original_id }),
  };
}

/**
 * Stores the result of webhooks, or postpones them by `dueInMs`. A webhook that the ledger has reopened in the meantime is left to the
 * next claim.
 */
export async function finishWebhooks(
  database: Database,
  notifications: readonly Pick<ClaimedWebhook, 'id' | 'state'>[],
  change: {
    readonly state: WebhookState;
    readonly why?: string | null;
    readonly subject?: WebhookSubject;
    readonly dueInMs?: number;
  },
): Promise<void> {
  for (const state of new Set(notifications.map((notification) => notification.state)))
    await inboxOf(database)
      .updateTable('webhooks')
      .set({
        state: change.state,
        due_at: change.dueInMs === undefined ? null : inMs(change.dueInMs),
        ...(change.why === undefined ? {} : { why: change.why }),
        ...(change.state === 'received' ? {} : { processed_at: NOW }),
        ...(change.subject === undefined
          ? {}
          : {
              payment_id: change.subject.payment.id,
              refund_id: change.subject.refund?.id ?? null,
              attempt_id: change.subject.attempt?.id ?? null,
            }),
      })
      .where(
        'id',
        'in',
        notifications.flatMap((notification) =>
          notification.state === state ? [BigInt(notification.id)] : [],
        ),
      )
      .where('state', '=', state)
      .execute();
}

/** Records whether a query of the payment has shown the webhook's transaction. If not, the payment is queried again in `dueInMs`. */
export async function recordShown(
  database: Database,
  id: string,
  shown: { readonly isShown: true } | { readonly isShown: false; readonly dueInMs: number },
): Promise<void> {
  await inboxOf(database)
    .updateTable('webhooks')
    .set(
      shown.isShown
        ? { confirmed_at: NOW, due_at: NOW }
        : { not_found_count: sql<number>`not_found_count + 1`, due_at: inMs(shown.dueInMs) },
    )
    .where('id', '=', BigInt(id))
    .where('state', '=', 'received')
    .execute();
}

const inMs = (ms: number) => sql<Date>`now() + ${ms} * interval '1 millisecond'`;
