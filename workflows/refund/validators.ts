/** Validators of operators' updates. Temporal requires them to be synchronous and without side effects. */
import { ApplicationFailure } from '@temporalio/workflow';
import { looksLikeCard } from '../../domain/card/card-number.js';
import { CORRECTION_OUTCOMES } from '../../domain/refund/correction.js';
import { CASE_REASONS } from '../../domain/refund/reasons.js';
import { isCardRef, isGatewayId } from '../../domain/ids.js';
import { NAME_RULE, readName } from '../../domain/names.js';
import type { CorrectMessage, DecisionMessage } from './contract.js';

/** Rejects the update with an `ApplicationFailure`, which never fails the workflow. */
const reject = (why: string): never => {
  throw ApplicationFailure.nonRetryable(why, 'invalid_input');
};

/** The field of a message from outside, which may have any shape whatever its type says. */
function valueOf(message: unknown, field: string): unknown {
  return typeof message === 'object' && message !== null
    ? Object.getOwnPropertyDescriptor(message, field)?.value
    : undefined;
}

/** Checks operator, reason and ticket: texts that PostgreSQL can store and that hold no card number. */
export function validateNote(message: unknown): void {
  validateTexts(message, ['by', 'reason', 'ticket']);
}

function validateTexts(message: unknown, fields: readonly string[]): void {
  for (const field of fields) {
    const value = valueOf(message, field);
    if (field === 'ticket' && value === undefined) continue;
    // PostgreSQL stores no NUL: the activity would be retried for ever.
    if (typeof value !== 'string' || value.trim() === '' || value.includes('\0'))
      return reject(`${field} must be a text that is not empty`);
    if (field === 'by' && readName(value) === undefined) return reject(`by ${NAME_RULE}`);
    if (looksLikeCard(value)) return reject(`${field} must not hold a card number`);
  }
}

/** Checks the verdict here, because the ledger would reject another one at each retry of the activity. */
export function validateDecision(message: DecisionMessage): void {
  validateTexts(message, ['verdict', 'instruction', 'by', 'reason', 'ticket']);
  const verdict: string = message.verdict;
  if (verdict !== 'approved' && verdict !== 'refused') reject("verdict must be 'approved' or 'refused'");
}

export function validateCorrection(message: CorrectMessage): void {
  validateTexts(message, ['outcome', 'evidence', 'by', 'reason', 'ticket']);
  if (!CORRECTION_OUTCOMES.some((outcome) => outcome === message.outcome))
    reject(`outcome must be one of ${CORRECTION_OUTCOMES.join(', ')}`);
  const reference = valueOf(message, 'reference');
  if (
    reference !== undefined &&
    (typeof reference !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(reference) || looksLikeCard(reference))
  )
    reject('reference must be the merchantTransactionId of an attempt');
  const closedCase = valueOf(message, 'case');
  if (closedCase !== undefined && !Object.keys(CASE_REASONS).some((reason) => reason === closedCase))
    reject('case must be the reason of a case');
}

/** Checks an id that becomes part of an address at the gateway. */
export function validateNoteAndId(message: unknown): void {
  validateNote(message);
  validateId(message, 'gatewayId');
}

function validateId(message: unknown, field: 'gatewayId' | 'registrationId'): void {
  const value = valueOf(message, field);
  if (typeof value !== 'string' || !isGatewayId(value))
    reject(`${field} must be 32 lowercase hexadecimal characters`);
}

/** Checks that exactly one destination is named. */
export function validateDestination(message: unknown): void {
  validateNote(message);
  const cardRef = valueOf(message, 'cardRef');
  if (cardRef === undefined) {
    validateId(message, 'registrationId');
    return;
  }
  if (typeof cardRef !== 'string' || !isCardRef(cardRef))
    reject('cardRef must be the reference of a sealed card');
  if (valueOf(message, 'registrationId') !== undefined) reject('name a registration or a card, not both');
}
