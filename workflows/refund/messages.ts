/** What persons send, checked at the door: synchronous and pure, as validators must be. */
import { ApplicationFailure } from '@temporalio/workflow';
import { looksLikeCard } from '../../domain/card/card-number.js';
import { CORRECTION_OUTCOMES } from '../../domain/refund/correction.js';
import { CASE_REASONS } from '../../domain/payment/reconciliation.js';
import { isGatewayId } from '../../domain/ids.js';
import { NAME_RULE, readName } from '../../domain/names.js';
import type { CorrectMessage, DecisionMessage } from './contract.js';

/** An `ApplicationFailure` refuses the update; it never fails the workflow. */
const refuse = (why: string): never => {
  throw ApplicationFailure.nonRetryable(why, 'invalid_input');
};

function valueOf(message: unknown, field: string): unknown {
  return typeof message === 'object' && message !== null
    ? Object.getOwnPropertyDescriptor(message, field)?.value
    : undefined;
}

/** Who and why, in texts that can be stored and hold no card. Messages come from outside, whatever their types say. */
export function checkNote(message: unknown, fields: readonly string[]): void {
  for (const field of [...fields, 'by', 'reason', 'ticket']) {
    const value = valueOf(message, field);
    if (field === 'ticket' && value === undefined) continue;
    // PostgreSQL stores no NUL: the activity would be tried for ever.
    if (typeof value !== 'string' || value.trim() === '' || value.includes('\0'))
      return refuse(`${field} must be a text that is not empty`);
    if (field === 'by' && readName(value) === undefined) return refuse(`by ${NAME_RULE}`);
    if (looksLikeCard(value)) return refuse(`${field} must not hold a card number`);
  }
}

/** The ledger would refuse another verdict again and again. */
export function checkDecision(message: DecisionMessage): void {
  checkNote(message, ['verdict', 'instruction']);
  const verdict: string = message.verdict;
  if (verdict !== 'approved' && verdict !== 'refused') refuse("verdict must be 'approved' or 'refused'");
}

export function checkCorrection(message: CorrectMessage): void {
  checkNote(message, ['outcome', 'evidence']);
  if (!CORRECTION_OUTCOMES.some((outcome) => outcome === message.outcome))
    refuse(`outcome must be one of ${CORRECTION_OUTCOMES.join(', ')}`);
  const reference = valueOf(message, 'reference');
  if (
    reference !== undefined &&
    (typeof reference !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(reference) || looksLikeCard(reference))
  )
    refuse('reference must be the merchantTransactionId of an attempt');
  const one = valueOf(message, 'case');
  if (one !== undefined && !Object.keys(CASE_REASONS).some((reason) => reason === one))
    refuse('case must be the reason of a case');
}

/** An id becomes part of an address at the gateway. */
export function checkId(message: unknown, field: 'gatewayId' | 'registrationId'): void {
  checkNote(message, []);
  const value = valueOf(message, field);
  if (typeof value !== 'string' || !isGatewayId(value))
    refuse(`${field} must be 32 lowercase hexadecimal characters`);
}
