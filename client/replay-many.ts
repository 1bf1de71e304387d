/** Replays every refund in review for one reason: counts them, then replays one batch in each call, so that the client can stop and continue. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CASE_REASONS, type CaseReason } from '../domain/refund/reasons.js';
import { formatAmount, storedMoney } from '../domain/money/money.js';
import type { OperatorNote } from '../domain/refund/operator-note.js';
import { REPLAYABLE } from '../domain/refund/replay.js';
import type { InputProblem } from '../domain/refund/request.js';
import type { Ledger } from '../ledger/ledger.js';
import type { RefundRecord } from '../ledger/core/refund-record.js';
import type { BulkCursor } from '../ledger/core/commands.js';
import type { RefundWorkflow } from './refund-workflow.js';
import { checkNote } from './note-rules.js';

export interface BulkReplay extends OperatorNote {
  readonly case: CaseReason;
  /** Only cases opened at this time or later. */
  readonly since?: Date;
  /** True: counts only, changes nothing. */
  readonly dryRun?: boolean;
  /** `nextCursor` of the batch before. */
  readonly cursor?: string;
  /** Largest number of refunds in this call; default 200. */
  readonly limit?: number;
  /** Identifies this command: a repeated command is carried out once. */
  readonly commandId?: string;
}

export interface BulkReplayResult {
  readonly case: CaseReason;
  readonly dryRun: boolean;
  /** Number of refunds in review for this reason when the call began. */
  readonly count: number;
  /** Their amounts: decimal strings by currency. */
  readonly sums: Readonly<Record<string, string>>;
  /** Number of replayed refunds in this batch. */
  readonly replayed: number;
  /** The refunds of this batch that may not be replayed or are no longer in review, each with the reason. */
  readonly refused: readonly { readonly refundId: string; readonly why: string }[];
  /** The cursor of the next call; null after the last batch. */
  readonly nextCursor: string | null;
}

interface Parts {
  readonly ledger: Ledger;
  readonly driver: RefundWorkflow;
  readonly recordOf: (id: string) => Promise<RefundRecord>;
  readonly findReporting: (record: RefundRecord) => Promise<void>;
}

export const LARGEST_BATCH = 200;
/** Refunds a second. Each queries the gateway, and workers take a few at a time. */
const PER_SECOND = 20;
/** Refunds between two pauses. */
const AT_ONCE = 10;

/** Skips cases that are opened meanwhile: refunds whose cause is not fixed are not replayed without end. */
export async function replayMany(
  { ledger, driver, recordOf, findReporting }: Parts,
  order: BulkReplay,
): Promise<BulkReplayResult> {
  check(order);
  const { limit = LARGEST_BATCH, dryRun = false } = order;
  const waiting = { case: order.case, ...(order.since === undefined ? {} : { since: order.since }) };
  const { count, sums, upTo } = await ledger.reviewSums(waiting);
  const counted = {
    case: order.case,
    dryRun,
    count,
    sums: Object.fromEntries(
      Object.entries(sums).map(([currency, minor]) => [
        currency,
        formatAmount(storedMoney(BigInt(minor), currency)),
      ]),
    ),
  };
  if (dryRun) return { ...counted, replayed: 0, refused: [], nextCursor: null };

  const from = cursorOf(order.cursor) ?? { after: 0n, upTo };
  const batch = await ledger.nextInReview(waiting, from, limit);
  // Once for each entity: the answer holds for all of its refunds.
  const asked = new Set<string>();
  for (const { refundId } of order.case === 'links_not_shown' ? batch : []) {
    const record = await recordOf(refundId);
    if (asked.has(record.entityId)) continue;
    asked.add(record.entityId);
    await findReporting(record);
  }
  const refused: { refundId: string; why: string }[] = [];
  let replayed = 0;
  for (let first = 0; first < batch.length; first += AT_ONCE) {
    if (first > 0) await sleep((AT_ONCE / PER_SECOND) * 1_000);
    await Promise.all(
      batch.slice(first, first + AT_ONCE).map(async ({ refundId }) => {
        const why = await replayOne(refundId);
        if (why === undefined) replayed += 1;
        else refused.push({ refundId, why });
      }),
    );
  }
  const last = batch.at(-1);
  return {
    ...counted,
    replayed,
    refused,
    nextCursor: batch.length < limit || last === undefined ? null : `${last.caseId}-${from.upTo}`,
  };

  /** Returns why it was refused; undefined where it was replayed. The sweep starts a run that could not be started now. */
  async function replayOne(refundId: string): Promise<string | undefined> {
    const { by, reason, ticket, commandId } = order;
    const result = await ledger.replay({
      refundId,
      by,
      reason,
      ...(ticket === undefined ? {} : { ticket }),
      ...(commandId === undefined ? {} : { commandId: commandId, bulk: commandId }),
    });
    if (result.kind === 'refused') return result.why;
    await driver.wake({ ...(await recordOf(refundId)), version: result.snapshot.version });
    return undefined;
  }
}

const CURSOR = /^(\d{1,18})-(\d{1,18})$/;

function cursorOf(text: string | undefined): BulkCursor | undefined {
  const [, after, upTo] = CURSOR.exec(text ?? '') ?? [];
  return after === undefined || upTo === undefined ? undefined : { after: BigInt(after), upTo: BigInt(upTo) };
}

function check({ case: why, since, cursor, limit, ...note }: BulkReplay): void {
  const problems: InputProblem[] = [];
  const wrong = (field: string, message: string): void =>
    void problems.push({ field, code: 'invalid', message });
  if (!Object.hasOwn(CASE_REASONS, why)) wrong('case', 'must be the reason of a case');
  else if (!REPLAYABLE[why]) wrong('case', 'is a case after which nothing may be replayed');
  if (since !== undefined && Number.isNaN(since.getTime())) wrong('since', 'must be a time');
  if (cursor !== undefined && !CURSOR.test(cursor)) wrong('cursor', 'must be nextCursor of the batch before');
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1 || limit > LARGEST_BATCH))
    wrong('limit', `must be a whole number from 1 to ${LARGEST_BATCH}`);
  checkNote(note, problems);
}
