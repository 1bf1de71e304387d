/** Response types of the API. Types only: no server code reaches the browser. */
import type { z } from 'zod';
import type * as commands from '../../../api/command-schemas.js';
import type * as schemas from '../../../api/schemas.js';

type ResponseOf<Name extends keyof typeof schemas> = (typeof schemas)[Name] extends z.ZodType
  ? z.infer<(typeof schemas)[Name]>
  : never;

export type Refund = ResponseOf<'refund'>;
export type OpenCase = Refund['cases'][number];
export type QueueItem = ResponseOf<'queueItem'>;
export type TimelineEntry = ResponseOf<'timelineEntry'>;
export type Payment = ResponseOf<'payment'>;
export type SearchResult = ResponseOf<'searchResult'>;
export type CreditLimits = ResponseOf<'creditLimits'>;
export type Me = ResponseOf<'principal'>;
export type BulkReplayResult = z.infer<typeof commands.bulkReplayResult>;

/** Response of `POST /v1/cards`. */
export interface SealedCard {
  readonly cardRef: string;
  readonly brand: string;
  readonly last4: string;
  readonly expiresAt: string;
}

/** Response of `GET /v1/cards/{ref}`. */
export interface Card extends SealedCard {
  /** `used`: a credit carried it, or it was older than 24 hours. */
  readonly cvv: 'ready' | 'used' | 'none';
  readonly destroyed: { readonly at: string; readonly by: string; readonly why: string } | null;
  readonly refunds: readonly Pick<Refund, 'id' | 'state'>[];
}

/** A page of a list. `nextCursor` is null on the last page, and absent if the list has no pages. */
export interface Page<T> {
  readonly data: readonly T[];
  readonly nextCursor?: string | null;
}

export interface Action {
  readonly action:
    'approve' | 'reject' | 'withdraw' | 'change-destination' | 'sync' | 'link' | 'correct' | 'replay';
  readonly allowed: boolean;
  readonly why: string | null;
  readonly effect: string;
  readonly needsApprover: boolean;
  readonly input: readonly string[];
}

export interface ConsoleConfig {
  readonly temporalUi: string | null;
  readonly namespace: string | null;
}

export interface AuditReport {
  readonly at: string;
  /** True if no violation was found and every check was completed. */
  readonly ok: boolean;
  readonly violations: number;
}

/** Response of `/readyz` while every dependency is available. */
export interface Readiness {
  readonly reporting?: Readonly<Record<string, 'v1'>>;
}
