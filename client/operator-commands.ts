/** The commands of operators on one refund, sent to its workflow. A run is started where none is alive, so a dead workflow blocks no command. */
import type { StartSettings } from '../activities/pay-back/activities.js';
import type { CorrectionOutcome } from '../domain/refund/correction.js';
import { CORRECTION_OUTCOMES } from '../domain/refund/correction.js';
import { CASE_REASONS, type CaseReason } from '../domain/refund/reasons.js';
import { looksLikeCard } from '../domain/card/card-number.js';
import { isCardRef, isGatewayId } from '../domain/ids.js';
import { destinationOf, isCardDestination, type Destination } from '../domain/refund/destination.js';
import { readName } from '../domain/names.js';
import type { OperatorNote } from '../domain/refund/operator-note.js';
import type { Principal } from '../domain/principal.js';
import type { InputProblem } from '../domain/refund/request.js';
import type { RefundRecord } from '../ledger/core/refund-record.js';
import {
  linkUpdate,
  confirmUpdate,
  correctUpdate,
  decideUpdate,
  changeDestinationUpdate,
  syncUpdate,
  withdrawUpdate,
} from '../workflows/refund/contract.js';
import { actionsFor, type Action } from './operator-actions.js';
import type { RefundWorkflow } from './refund-workflow.js';
import { instructionMissing, refusal, type Refusal } from './errors.js';
import type { Refund } from './view.js';
import { checkNote } from './note-rules.js';

export interface ApprovalNote extends OperatorNote {
  /** The instruction that the operator has seen: `approval.instruction` or `proposal.instruction` of the refund. */
  readonly instruction: string;
}

export interface LinkNote extends OperatorNote {
  /** The transaction at the gateway: 32 lowercase hex. */
  readonly gatewayId: string;
}

export interface CorrectNote extends OperatorNote {
  readonly outcome: CorrectionOutcome;
  /** The proof: the acquirer's letter, a settlement line, an ARN. Stored in the clear, so a card number is refused. */
  readonly evidence: string;
  /** The attempt's merchantTransactionId. Absent: the open attempt, else the newest. */
  readonly reference?: string;
  /** The case to close. Absent: all cases that only an operator closes. */
  readonly case?: CaseReason;
}

/** `registrationId`: the registration that the credit goes to, 32 lowercase hex. `cardRef`: the sealed card. */
export type ChangeDestinationNote = OperatorNote & Destination;

/** Every method throws `RefundsError`. Repeating a command has no effect; another operator gets `already_decided` with the name of the first. */
export interface OperatorCommands {
  /** Approves exactly the instruction that was shown: a credit, or a proposed correction. By an operator who did not request it. */
  approve(id: string, note: ApprovalNote): Promise<Refund>;
  /** Rejects the instruction. A credit: the refund ends and its reservation is released. A correction: nothing changes. */
  reject(id: string, note: ApprovalNote): Promise<Refund>;
  /** Ends the refund while no money has left and none may have left. */
  withdraw(id: string, note: OperatorNote): Promise<Refund>;
  /** Queries the gateway now instead of at the next due time. Submits nothing. The note, where given, is recorded. */
  sync(id: string, note?: OperatorNote): Promise<Refund>;
  /** Links a gateway transaction to an attempt: its state at the gateway becomes the attempt's outcome. */
  link(id: string, note: LinkNote): Promise<Refund>;
  /** Records the outcome of an attempt that the gateway cannot show. Returns the refund with a `proposal` where another operator has to confirm. */
  correct(id: string, note: CorrectNote): Promise<Refund>;
  /** Changes the destination of the credit of a refund in review. Another operator approves the credit. */
  changeDestination(id: string, note: ChangeDestinationNote): Promise<Refund>;
  /** Returns the actions that this operator may take now, each with its effect on the money. */
  actions(id: string, principal: Principal): Promise<readonly Action[]>;
}

export interface OperatorCommandParts {
  readonly driver: RefundWorkflow;
  readonly start: StartSettings;
  readonly recordOf: (id: string) => Promise<RefundRecord>;
  readonly getRefund: (id: string) => Promise<Refund>;
}

type Answer =
  | { readonly kind: 'refused'; readonly why: Refusal; readonly by?: string }
  | { readonly kind: 'decided' | 'withdrawn' | 'done' | 'proposed' };

export function createOperatorCommands({
  driver,
  start,
  recordOf,
  getRefund,
}: OperatorCommandParts): OperatorCommands {
  async function answered(id: string, result: Answer): Promise<Refund> {
    if (result.kind === 'refused') throw refusal(id, result.why, result.by);
    return getRefund(id);
  }

  async function decide(id: string, verdict: 'approved' | 'refused', note: ApprovalNote): Promise<Refund> {
    checkNote(note);
    const record = await recordOf(id);
    const { instruction } = note;
    if (!isInstruction(instruction)) throw instructionMissing(id, waitingOn(record));
    const message = { verdict, instruction, ...noteOf(note) };
    const confirm = async (): Promise<Answer> => driver.command(record, confirmUpdate, [message]);
    if (record.proposal?.instruction === instruction) return answered(id, await confirm());
    const result = await driver.command(record, decideUpdate, [message]);
    // The correction may be decided by now: this may be a repetition of the same command.
    if (result.kind === 'refused' && result.why === 'not_awaiting_approval') {
      const repeated = await confirm();
      if (repeated.kind !== 'refused' || repeated.why !== 'no_proposal') return answered(id, repeated);
    }
    return answered(id, result);
  }

  return {
    approve: (id, note) => decide(id, 'approved', note),
    reject: (id, note) => decide(id, 'refused', note),
    async withdraw(id, note) {
      checkNote(note);
      return answered(id, await driver.command(await recordOf(id), withdrawUpdate, [noteOf(note)]));
    },
    async sync(id, note) {
      if (note !== undefined) checkNote(note);
      await driver.command(await recordOf(id), syncUpdate, [note === undefined ? undefined : noteOf(note)]);
      return getRefund(id);
    },
    async link(id, note) {
      checkNote(note, hex('gatewayId', note.gatewayId));
      const message = { ...noteOf(note), gatewayId: note.gatewayId };
      return answered(id, await driver.command(await recordOf(id), linkUpdate, [message]));
    },
    async correct(id, note) {
      checkCorrection(note);
      const { outcome, evidence, reference } = note;
      const message = {
        ...noteOf(note),
        outcome,
        evidence,
        ...(reference === undefined ? {} : { reference }),
        ...(note.case === undefined ? {} : { case: note.case }),
      };
      return answered(id, await driver.command(await recordOf(id), correctUpdate, [message]));
    },
    async changeDestination(id, note) {
      checkNote(note, problemsOfDestination(note));
      const message = { ...noteOf(note), ...destinationOf(note) };
      return answered(id, await driver.command(await recordOf(id), changeDestinationUpdate, [message]));
    },
    async actions(id, principal) {
      const record = await recordOf(id);
      return actionsFor(record, principal, start.configFor(record.entityId).policy);
    },
  };
}

const noteOf = ({ by, reason, ticket }: OperatorNote): OperatorNote => ({
  by: readName(by) ?? by,
  reason,
  ...(ticket === undefined ? {} : { ticket }),
});

/** False also where a client without types leaves it out. */
const isInstruction = (given: unknown): given is string =>
  typeof given === 'string' && given !== '' && !looksLikeCard(given);

const waitingOn = ({ proposal, instruction }: RefundRecord): string | undefined =>
  proposal?.instruction ?? instruction?.hash;

function hex(field: string, value: string): InputProblem[] {
  return isGatewayId(value)
    ? []
    : [{ field, code: 'invalid', message: 'must be 32 lowercase hexadecimal characters' }];
}

function problemsOfDestination(destination: Destination): InputProblem[] {
  if (!isCardDestination(destination)) return hex('registrationId', destination.registrationId);
  const { cardRef } = destination;
  return isCardRef(cardRef)
    ? []
    : [{ field: 'cardRef', code: 'invalid', message: 'must be the reference of a sealed card' }];
}

function checkCorrection(note: CorrectNote): void {
  const problems: InputProblem[] = [];
  if (!CORRECTION_OUTCOMES.includes(note.outcome))
    problems.push({
      field: 'outcome',
      code: 'invalid',
      message: `must be one of ${CORRECTION_OUTCOMES.join(', ')}`,
    });
  if (note.case !== undefined && !Object.hasOwn(CASE_REASONS, note.case))
    problems.push({ field: 'case', code: 'invalid', message: 'must be the reason of a case' });
  if (
    note.reference !== undefined &&
    (!/^[\x21-\x7e]{1,255}$/.test(note.reference) || looksLikeCard(note.reference))
  )
    problems.push({
      field: 'reference',
      code: 'invalid',
      message: 'must be the merchantTransactionId of an attempt',
    });
  checkNote(note, problems, ['evidence', note.evidence]);
}
