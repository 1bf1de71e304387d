/** What persons say about a refund, carried to its run: one is started where none is alive, so a dead workflow stops nobody. */
import type { StartSettings } from '../activities/refund/caller.js';
import type { CorrectionOutcome } from '../domain/refund/correction.js';
import { CORRECTION_OUTCOMES } from '../domain/refund/correction.js';
import { CASE_REASONS, type CaseReason } from '../domain/payment/finding.js';
import { looksLikeCard } from '../domain/card/card-number.js';
import { isGatewayId } from '../domain/ids.js';
import { readName } from '../domain/names.js';
import type { OperatorNote } from '../domain/refund/people.js';
import type { Principal } from '../domain/principal.js';
import type { InputProblem } from '../domain/refund/request.js';
import type { RefundRecord } from '../ledger/core/refund-record.js';
import {
  adoptUpdate,
  confirmUpdate,
  correctUpdate,
  decideUpdate,
  redirectUpdate,
  resolveUpdate,
  withdrawUpdate,
} from '../workflows/refund/contract.js';
import { actionsFor, type Action } from './actions.js';
import type { Driver } from './driver.js';
import { instructionMissing, refusal, type Refusal } from './errors.js';
import type { Refund } from './view.js';
import { checkWord } from './words.js';

export interface ApprovalWord extends OperatorNote {
  /** The instruction that the operator saw: `approval.instruction` or `proposal.instruction` of the refund. */
  readonly instruction: string;
}

export interface AdoptWord extends OperatorNote {
  /** The transaction at the gateway: 32 lowercase hex. */
  readonly gatewayId: string;
}

export interface CorrectWord extends OperatorNote {
  readonly outcome: CorrectionOutcome;
  /** What shows it: the acquirer's letter, a settlement line, an ARN. Kept in the clear, so never a card number. */
  readonly evidence: string;
  /** Which attempt, by its merchantTransactionId; absent: the open one, else the newest. */
  readonly reference?: string;
  /** Which case is closed; absent: all that only a person closes. */
  readonly case?: CaseReason;
}

export interface RedirectWord extends OperatorNote {
  /** Where the credit is to go: 32 lowercase hex. */
  readonly registrationId: string;
}

/** Every method throws `RefundsError`. Said again by the same person, nothing changes; somebody else is told who decided. */
export interface Decisions {
  /** A second person says yes to exactly the instruction that was shown: a credit, or a correction that was proposed. */
  approve(id: string, word: ApprovalWord): Promise<Refund>;
  /** A second person says no. Of a credit: the refund ends, and its reservation is released. Of a correction: nothing changes. */
  reject(id: string, word: ApprovalWord): Promise<Refund>;
  /** Ends it while nothing has left and nothing may have left. */
  withdraw(id: string, word: OperatorNote): Promise<Refund>;
  /** Looks at the gateway now instead of when it is due. Sends nothing. The word, where given, is on record. */
  resolve(id: string, word?: OperatorNote): Promise<Refund>;
  /** "This gateway transaction is this attempt": what the gateway shows of it becomes the attempt's outcome. */
  adopt(id: string, word: AdoptWord): Promise<Refund>;
  /** What became of an attempt where the gateway cannot be asked. Answers with `proposal` where a second person has to confirm. */
  correct(id: string, word: CorrectWord): Promise<Refund>;
  /** Another destination for the credit of a refund that waits for a person; a second one approves what comes of it. */
  redirect(id: string, word: RedirectWord): Promise<Refund>;
  /** What this person may do about it now, and what each would do to the money. */
  actions(id: string, principal: Principal): Promise<readonly Action[]>;
}

export interface DecisionParts {
  readonly driver: Driver;
  readonly start: StartSettings;
  readonly recordOf: (id: string) => Promise<RefundRecord>;
  readonly getRefund: (id: string) => Promise<Refund>;
}

type Answer =
  | { readonly kind: 'refused'; readonly why: Refusal; readonly by?: string }
  | { readonly kind: 'decided' | 'withdrawn' | 'done' | 'proposed' };

export function createDecisions({ driver, start, recordOf, getRefund }: DecisionParts): Decisions {
  async function answered(id: string, result: Answer): Promise<Refund> {
    if (result.kind === 'refused') throw refusal(id, result.why, result.by);
    return getRefund(id);
  }

  async function decide(id: string, verdict: 'approved' | 'refused', word: ApprovalWord): Promise<Refund> {
    checkWord(word);
    const record = await recordOf(id);
    const { instruction } = word;
    if (!isInstruction(instruction)) throw instructionMissing(id, waitingOn(record));
    const message = { verdict, instruction, ...wordOf(word) };
    const confirm = async (): Promise<Answer> => driver.say(record, confirmUpdate, [message]);
    if (record.proposal?.instruction === instruction) return answered(id, await confirm());
    const result = await driver.say(record, decideUpdate, [message]);
    // A word on a correction that is decided by now: it may be the same word once more.
    if (result.kind === 'refused' && result.why === 'not_awaiting_approval') {
      const repeated = await confirm();
      if (repeated.kind !== 'refused' || repeated.why !== 'no_proposal') return answered(id, repeated);
    }
    return answered(id, result);
  }

  return {
    approve: (id, word) => decide(id, 'approved', word),
    reject: (id, word) => decide(id, 'refused', word),
    async withdraw(id, word) {
      checkWord(word);
      return answered(id, await driver.say(await recordOf(id), withdrawUpdate, [wordOf(word)]));
    },
    async resolve(id, word) {
      if (word !== undefined) checkWord(word);
      await driver.say(await recordOf(id), resolveUpdate, [word === undefined ? undefined : wordOf(word)]);
      return getRefund(id);
    },
    async adopt(id, word) {
      checkWord(word, hex('gatewayId', word.gatewayId));
      const message = { ...wordOf(word), gatewayId: word.gatewayId };
      return answered(id, await driver.say(await recordOf(id), adoptUpdate, [message]));
    },
    async correct(id, word) {
      checkCorrection(word);
      const { outcome, evidence, reference } = word;
      const message = {
        ...wordOf(word),
        outcome,
        evidence,
        ...(reference === undefined ? {} : { reference }),
        ...(word.case === undefined ? {} : { case: word.case }),
      };
      return answered(id, await driver.say(await recordOf(id), correctUpdate, [message]));
    },
    async redirect(id, word) {
      checkWord(word, hex('registrationId', word.registrationId));
      const message = { ...wordOf(word), registrationId: word.registrationId };
      return answered(id, await driver.say(await recordOf(id), redirectUpdate, [message]));
    },
    async actions(id, principal) {
      const record = await recordOf(id);
      return actionsFor(record, principal, start.planFor(record.entityId).policy);
    },
  };
}

const wordOf = ({ by, reason, ticket }: OperatorNote): OperatorNote => ({
  by: readName(by) ?? by,
  reason,
  ...(ticket === undefined ? {} : { ticket }),
});

/** Callers without types may leave it out. */
const isInstruction = (given: unknown): given is string =>
  typeof given === 'string' && given !== '' && !looksLikeCard(given);

const waitingOn = ({ proposal, instruction }: RefundRecord): string | undefined =>
  proposal?.instruction ?? instruction?.hash;

function hex(field: string, value: string): InputProblem[] {
  return isGatewayId(value)
    ? []
    : [{ field, code: 'invalid', message: 'must be 32 lowercase hexadecimal characters' }];
}

function checkCorrection(word: CorrectWord): void {
  const problems: InputProblem[] = [];
  if (!CORRECTION_OUTCOMES.includes(word.outcome))
    problems.push({
      field: 'outcome',
      code: 'invalid',
      message: `must be one of ${CORRECTION_OUTCOMES.join(', ')}`,
    });
  if (word.case !== undefined && !Object.hasOwn(CASE_REASONS, word.case))
    problems.push({ field: 'case', code: 'invalid', message: 'must be the reason of a case' });
  if (
    word.reference !== undefined &&
    (!/^[\x21-\x7e]{1,255}$/.test(word.reference) || looksLikeCard(word.reference))
  )
    problems.push({
      field: 'reference',
      code: 'invalid',
      message: 'must be the merchantTransactionId of an attempt',
    });
  checkWord(word, problems, ['evidence', word.evidence]);
}
