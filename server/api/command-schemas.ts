/** Schemas of operator commands: request bodies, replay reports and available actions. */
import { z } from 'zod';
import { boundedText } from '../../domain/bounded-text.js';
import { looksLikeCard } from '../../domain/card/card-number.js';
import { CORRECTION_OUTCOMES } from '../../domain/refund/correction.js';
import { CASE_REASONS, type CaseReason } from '../../domain/refund/reasons.js';
import { destinationShape } from '../../domain/refund/request-shape.js';
import { ACTIONS } from '../../client/operator-actions.js';
import { NOTE_RULES } from '../../client/note-rules.js';
import { refund, time, uuid } from './schemas.js';

const isCase = (text: string): text is CaseReason => Object.hasOwn(CASE_REASONS, text);
const CASES = Object.keys(CASE_REASONS).filter(isCase);

/** Free text of an operator. It is stored unencrypted with the event and shown to other operators. */
const textOf = (longest: number) =>
  NOTE_RULES.reduce((schema, { fits, message }) => schema.refine(fits, message), boundedText(longest));
const shortText = textOf(500);
const longText = textOf(2_000);

const note = {
  reason: shortText.describe('Recorded in the timeline; never a card number'),
  ticket: shortText.describe('Ticket or case number in your own system').optional(),
};

export const noteBody = z.strictObject(note).meta({
  id: 'OperatorNote',
  description: 'Why the command is given. The operator is the principal of the key.',
});

export const approvalBody = z
  .strictObject({
    ...note,
    instruction: z
      .string()
      .regex(/^[\w-]{1,128}$/, 'must be the instruction of the refund’s approval or proposal')
      .refine((text) => !looksLikeCard(text), 'must not contain a card number')
      .describe('`approval.instruction` or `proposal.instruction` of the refund')
      // Required by the route: its problem names the pending instruction, which a schema cannot do.
      .optional(),
  })
  .meta({ id: 'ApprovalNote', required: ['reason', 'instruction'] });

const hexId = z.string().regex(/^[a-f0-9]{32}$/, 'must be 32 lowercase hexadecimal characters');

export const linkBody = z
  .strictObject({ ...note, gatewayId: hexId.describe('Id of the transaction at the gateway') })
  .meta({ id: 'LinkCommand' });

export const correctBody = z
  .strictObject({
    ...note,
    outcome: z.enum(CORRECTION_OUTCOMES).describe('What really happened'),
    evidence: longText.describe("Acquirer's letter, settlement line or ARN; never a card number"),
    reference: z
      .string()
      .regex(/^[\x21-\x7e]{1,255}$/, 'must be the merchantTransactionId of an attempt')
      .refine((text) => !looksLikeCard(text), 'must not contain a card number')
      .describe('`merchantTransactionId` of the attempt. Default: the open attempt, else the newest')
      .optional(),
    case: z
      .enum(CASES)
      .describe('Case to close. Default: all cases that only an operator can close')
      .optional(),
  })
  .meta({ id: 'CorrectCommand' });

export const changeDestinationBody = z
  .strictObject({
    ...note,
    destination: destinationShape(
      'must be { "registrationId": … } or { "cardRef": … }, the destination of the credit',
    ).describe('New destination of the credit'),
  })
  .meta({ id: 'ChangeDestinationCommand' });

/** Note whose reason is optional for a dry run: a dry run changes and records nothing. */
const replayNote = { ...note, reason: shortText.describe('Required unless `dryRun`').optional() };
const changesWithoutReason = z.looseObject({
  reason: z.undefined().optional(),
  dryRun: z.literal(false).optional(),
});
const hasReason = (body: unknown): boolean => !changesWithoutReason.safeParse(body).success;
/** `when`: checked even if other fields are invalid, so that the response lists every problem. */
const NEEDS_REASON = { path: ['reason'], error: 'must be text', when: () => true };

export const replayBody = z
  .strictObject({
    ...replayNote,
    dryRun: z.boolean().describe('Report what a replay would do, and change nothing').optional(),
    restart: z
      .strictObject({ runId: z.string().regex(/^[\w-]{1,64}$/, 'must be the id of a run') })
      .describe('Workflow run to terminate if it is still running, before a new one starts')
      .optional(),
  })
  .refine(hasReason, NEEDS_REASON)
  .meta({ id: 'ReplayCommand' });

export const bulkReplayBody = z
  .strictObject({
    ...replayNote,
    case: z.enum(CASES).describe('Reason of the review'),
    since: z.iso
      .datetime({ offset: true, error: 'must be an RFC 3339 timestamp' })
      .describe('Only cases opened at this time or later')
      .optional(),
    dryRun: z.boolean().describe('Count the refunds, and change nothing').optional(),
    cursor: z
      .string()
      .regex(/^\d{1,18}-\d{1,18}$/, 'must be nextCursor of the previous batch')
      .describe('`nextCursor` of the previous batch')
      .optional(),
  })
  .refine(hasReason, NEEDS_REASON)
  .meta({ id: 'BulkReplay' });

export const bulkReplayResult = z
  .object({
    case: z.enum(CASES),
    dryRun: z.boolean(),
    count: z.int().describe('Refunds in review for this reason when the call began'),
    sums: z.record(z.string(), z.string()).describe('Sum of their amounts as a decimal string, by currency'),
    replayed: z.int().describe('Refunds of this batch that were replayed'),
    refused: z
      .array(z.object({ refundId: uuid, why: z.string() }))
      .readonly()
      .describe('Refunds of this batch that cannot be replayed, with a stable code'),
    nextCursor: z.string().nullable().describe('Cursor of the next batch; null after the last one'),
  })
  .meta({ id: 'BulkReplayResult' });

export const replayReport = z
  .object({
    outcome: z.enum(['dry_run', 'replayed', 'over', 'alive', 'started', 'restarted']),
    step: z.object({ kind: z.string(), afterMs: z.number() }),
    effect: z.string().describe('Money effect of the next step'),
    gateway: z.string().describe('Current state at the gateway'),
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
    stuck: z.string().nullable().describe('Why the workflow does not continue by itself; null if it does'),
  })
  .meta({ id: 'ReplayReport' });

export const replayedRefund = refund.extend({ replay: replayReport }).meta({ id: 'ReplayedRefund' });

export const action = z
  .object({
    action: z.enum(ACTIONS),
    allowed: z.boolean(),
    why: z.string().nullable().describe('Why the action is not allowed; null if it is'),
    effect: z.string().describe('Money effect of the action'),
    needsApprover: z.boolean().describe('True if a second approver must confirm it'),
    input: z
      .array(z.string())
      .readonly()
      .describe('Required fields besides `reason`; a dot leads into an object'),
  })
  .meta({ id: 'Action' });
