/** The commands `link`, `correct` and `change-destination`. */
import { CASE_REASONS, type CaseReason } from '../../domain/refund/reasons.js';
import type { CorrectionOutcome } from '../../domain/refund/correction.js';
import { isRefundId } from '../../domain/ids.js';
import type { RefundRecord } from '../../ledger/core/refund-record.js';
import { effectOfLink, effectOfCorrecting, effectOfDestinationChange } from '../money-effects.js';
import { notFound } from '../errors.js';
import { confirm } from './confirm.js';
import { needsOperator, withNote, type NoteOptions } from './decide.js';
import { WrongUse, type ExitCode } from './exit.js';
import { run, printError, type Session } from './session.js';

export interface LinkOptions extends NoteOptions {
  readonly gatewayId?: string | undefined;
}

export function link(id: string, options: LinkOptions): Promise<ExitCode> {
  const { gatewayId } = options;
  return withNote(
    options,
    (note) =>
      run(options, async (session) => {
        await confirm([effectOfLink(await recordOf(session, id), gatewayId)], options.yes === true);
        const refund = await session.client.link(id, { ...note, gatewayId: gatewayId ?? '' });
        session.printRefund(refund);
        return needsOperator(refund);
      }),
    { 'gateway-id': gatewayId },
  );
}

export interface CorrectOptions extends NoteOptions {
  readonly outcome?: CorrectionOutcome | undefined;
  readonly evidence?: string | undefined;
  readonly reference?: string | undefined;
  readonly case?: string | undefined;
}

export function correct(id: string, options: CorrectOptions): Promise<ExitCode> {
  const { outcome, evidence, reference } = options;
  const one = isCaseReason(options.case) ? options.case : undefined;
  if (options.case !== undefined && one === undefined)
    return Promise.resolve(
      printError(
        options.json === true,
        new WrongUse([
          {
            field: '--case',
            code: 'invalid',
            message: `must be one of ${Object.keys(CASE_REASONS).join(', ')}`,
          },
        ]),
      ),
    );
  return withNote(
    options,
    (note) =>
      run(options, async (session) => {
        if (outcome === undefined || evidence === undefined) throw new WrongUse([]);
        const wanted = {
          outcome,
          evidence,
          ...(reference === undefined ? {} : { reference }),
        };
        const record = await recordOf(session, id);
        const effect = effectOfCorrecting(record, {
          ...wanted,
          ...(one === undefined ? {} : { cases: [one] }),
        });
        await confirm([`${effect}.`], options.yes === true);
        const refund = await session.client.correct(id, {
          ...note,
          ...wanted,
          ...(one === undefined ? {} : { case: one }),
        });
        if (refund.proposal !== null)
          session.note(
            `proposed; another operator confirms with: approve ${id} --instruction ${refund.proposal.instruction}`,
          );
        session.printRefund(refund);
        return needsOperator(refund);
      }),
    { outcome, evidence },
  );
}

export interface ChangeDestinationOptions extends NoteOptions {
  readonly registration?: string | undefined;
  readonly card?: string | undefined;
}

export function changeDestination(id: string, options: ChangeDestinationOptions): Promise<ExitCode> {
  const { registration, card } = options;
  const destination = card === undefined ? { registrationId: registration ?? '' } : { cardRef: card };
  if (registration !== undefined && card !== undefined)
    return Promise.resolve(
      printError(
        options.json === true,
        new WrongUse([
          { field: '--card', code: 'invalid', message: 'name --registration or --card, not both' },
        ]),
      ),
    );
  return withNote(
    options,
    (note) =>
      run(options, async (session) => {
        await confirm(
          [effectOfDestinationChange(await recordOf(session, id), destination)],
          options.yes === true,
        );
        const refund = await session.client.changeDestination(id, {
          ...note,
          ...destination,
        });
        session.printRefund(refund);
        return needsOperator(refund);
      }),
    card === undefined ? { registration } : { card },
  );
}

async function recordOf({ ledger }: Session, id: string): Promise<RefundRecord> {
  const record = isRefundId(id) ? await ledger.findRefund(id) : null;
  if (record === null) throw notFound(id);
  return record;
}

const isCaseReason = (text: string | undefined): text is CaseReason =>
  text !== undefined && Object.hasOwn(CASE_REASONS, text);
