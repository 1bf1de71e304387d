/** What persons say over HTTP, and what they are told of what they may do. */
import { z } from 'zod';
import { boundedText } from '../../domain/bounded-text.js';
import { looksLikeCard } from '../../domain/card/card-number.js';
import { CORRECTION_OUTCOMES } from '../../domain/refund/correction.js';
import { CASE_REASONS, type CaseReason } from '../../domain/payment/finding.js';
import { ACTIONS } from '../../client/actions.js';
import { WORD_RULES } from '../../client/words.js';
import { refund, time, uuid } from './schemas.js';

const isCase = (text: string): text is CaseReason => Object.hasOwn(CASE_REASONS, text);
const CASES = Object.keys(CASE_REASONS).filter(isCase);

/** Text of a person: kept with the event in the clear, and shown to others. */
const textOf = (longest: number) =>
  WORD_RULES.reduce((schema, { fits, message }) => schema.refine(fits, message), boundedText(longest));
const words = textOf(500);
const longWords = textOf(2_000);

export const wordBody = z
  .strictObject({ reason: words, ticket: words.optional() })
  .meta({ id: 'OperatorNote', description: 'Why; who says it is whoever holds the key' });

export const approvalBody = z
  .strictObject({
    reason: words,
    ticket: words.optional(),
    instruction: z
      .string()
      .regex(/^[\w-]{1,128}$/, 'must be the instruction as it was shown')
      .refine((text) => !looksLikeCard(text), 'must not hold a card number')
      .describe('`approval.instruction` or `proposal.instruction` as it was shown')
      // Required: the answer without it names the one that waits, which a schema cannot.
      .optional(),
  })
  .meta({ id: 'ApprovalNote', required: ['reason', 'instruction'] });

const registration = z.string().regex(/^[a-f0-9]{32}$/, 'must be 32 lowercase hexadecimal characters');
const word = { reason: words, ticket: words.optional() };

export const linkBody = z
  .strictObject({ ...word, gatewayId: registration.describe('The transaction at the gateway') })
  .meta({ id: 'LinkCommand' });

export const correctBody = z
  .strictObject({
    ...word,
    outcome: z.enum(CORRECTION_OUTCOMES),
    evidence: longWords.describe("Acquirer's letter, settlement line, ARN; never a card number"),
    reference: z
      .string()
      .regex(/^[\x21-\x7e]{1,255}$/, 'must be the merchantTransactionId of an attempt')
      .refine((text) => !looksLikeCard(text), 'must not hold a card number')
      .describe('Which attempt, by its merchantTransactionId; absent: the open one, else the newest')
      .optional(),
    case: z.enum(CASES).describe('Which case is closed; absent: all that only a person closes').optional(),
  })
  .meta({ id: 'CorrectCommand' });

export const changeDestinationBody = z
  .strictObject({
    ...word,
    destination: z
      .strictObject(
        { registrationId: registration },
        { error: 'must be { "registrationId": … }: where the credit goes' },
      )
      .describe('Where the credit is to go'),
  })
  .meta({ id: 'ChangeDestinationCommand' });

/** A dry run changes nothing, so nothing is on record and no reason is needed. */
const dryWord = { ...word, reason: words.describe('Needed unless `dryRun`').optional() };
const changesWithoutReason = z.looseObject({
  reason: z.undefined().optional(),
  dryRun: z.literal(false).optional(),
});
const hasReason = (body: unknown): boolean => !changesWithoutReason.safeParse(body).success;
/** Together with everything else that is wrong. */
const NEEDS_REASON = { path: ['reason'], error: 'must be text', when: () => true };

export const replayBody = z
  .strictObject({
    ...dryWord,
    dryRun: z.boolean().describe('Only say what a run would do').optional(),
    restart: z
      .strictObject({ runId: z.string().regex(/^[\w-]{1,64}$/, 'must be the id of a run') })
      .describe('The run that is ended where it is alive')
      .optional(),
  })
  .refine(hasReason, NEEDS_REASON)
  .meta({ id: 'ReplayCommand' });

export const bulkReplayBody = z
  .strictObject({
    ...dryWord,
    case: z.enum(CASES).describe('Why they are in review'),
    since: z.iso
      .datetime({ offset: true, error: 'must be a time as in RFC 3339' })
      .describe('Only cases that were opened then or later')
      .optional(),
    dryRun: z.boolean().describe('Only count them').optional(),
    cursor: z
      .string()
      .regex(/^\d{1,18}-\d{1,18}$/, 'must be nextCursor of the batch before')
      .describe('`nextCursor` of the batch before')
      .optional(),
  })
  .refine(hasReason, NEEDS_REASON)
  .meta({ id: 'BulkReplay' });

export const bulkReplayResult = z
  .object({
    case: z.enum(CASES),
    dryRun: z.boolean(),
    count: z.int().describe('In review for this reason when the call began'),
    sums: z.record(z.string(), z.string()).describe('Decimal strings by currency'),
    replayed: z.int().describe('Of this batch'),
    refused: z.array(z.object({ refundId: uuid, why: z.string() })).readonly(),
    nextCursor: z.string().nullable().describe('For the next batch; null where all were met'),
  })
  .meta({ id: 'BulkReplayResult' });

export const replayReport = z
  .object({
    outcome: z.enum(['dry_run', 'replayed', 'over', 'alive', 'started', 'restarted']),
    step: z.object({ kind: z.string(), afterMs: z.number() }),
    effect: z.string().describe('What the next step does to the money'),
    gateway: z.string().describe('What the gateway shows now'),
    run: z
      .object({
        runId: z.string(),
        status: z.string(),
        isAlive: z.boolean(),
        startedAt: time,
        closedAt: time.nullable(),
        pending: z
          .array(
            z.object({
              activity: z.string().nullable(),
              attempt: z.int(),
              isRunning: z.boolean(),
              lastFailure: z.string().nullable(),
            }),
          )
          .readonly(),
        waitsForWorkerMs: z.number().nullable(),
      })
      .nullable(),
    stuck: z.string().nullable().describe('Why it does not go on by itself'),
  })
  .meta({ id: 'ReplayReport' });

export const replayedRefund = refund.extend({ replay: replayReport }).meta({ id: 'ReplayedRefund' });

export const action = z
  .object({
    action: z.enum(ACTIONS),
    allowed: z.boolean(),
    why: z.string().nullable().describe('Why not'),
    effect: z.string().describe('What it does to the money'),
    secondPerson: z.boolean().describe('Somebody else has to confirm it'),
    input: z.array(z.string()).readonly().describe('Needed besides the reason'),
  })
  .meta({ id: 'Action' });
