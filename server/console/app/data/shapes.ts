/** What the API answers, by the names that the pages use. Types only: nothing of the server is in the browser. */
import type { z } from 'zod';
import type * as commands from '../../../api/decision-schemas.js';
import type * as schemas from '../../../api/schemas.js';

type Answer<Name extends keyof typeof schemas> = (typeof schemas)[Name] extends z.ZodType
  ? z.infer<(typeof schemas)[Name]>
  : never;

export type Refund = Answer<'refund'>;
export type OpenCase = Refund['cases'][number];
export type QueueItem = Answer<'queueItem'>;
export type TimelineEntry = Answer<'timelineEntry'>;
export type Payment = Answer<'payment'>;
export type Found = Answer<'found'>;
export type Me = Answer<'principal'>;
export type BulkReplayResult = z.infer<typeof commands.bulkReplayResult>;

/** A list that may go on; one that does not has no cursor at all. */
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
  readonly secondPerson: boolean;
  readonly input: readonly string[];
}

export interface ConsoleConfig {
  readonly temporalUi: string | null;
  readonly namespace: string | null;
}

export interface AuditReport {
  readonly at: string;
  /** Nothing is wrong, and every question was answered. */
  readonly ok: boolean;
  readonly violations: number;
}

/** What `/readyz` says while everything answers. */
export interface Readiness {
  readonly reporting?: Readonly<Record<string, 'v1'>>;
}
