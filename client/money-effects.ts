/** Describes what each operator action does to the money, with amounts. The command line, the HTTP API and the console show the same texts. */
import { formatAmount, storedMoney } from '../domain/money/money.js';
import { isCardDestination, type Destination, type ShownDestination } from '../domain/refund/destination.js';
import { isOpenAttempt } from '../domain/refund/attempt-states.js';
import { ATTEMPT_TYPES } from './api-types.js';
import type { AttemptRecord, RefundRecord } from '../ledger/core/refund-record.js';
import type { CorrectionDetails } from '../ledger/core/commands.js';

export const amountText = (minor: bigint, currency: string): string =>
  `${formatAmount(storedMoney(minor, currency))} ${currency}`;

/** Returns a destination as it was named: only the ledger knows what people see of a card. */
export const namedText = (destination: Destination): string =>
  isCardDestination(destination)
    ? `card ${destination.cardRef}`
    : `registration ${destination.registrationId}`;

/** Returns the last four characters of a registration: enough to tell two of them apart. */
export const maskedRegistration = (id: string): string => `…${id.slice(-4)}`;

/** Returns a destination with only the last characters of a registration. */
export const maskedDestination = (destination: ShownDestination): string =>
  isCardDestination(destination)
    ? destinationText(destination)
    : `registration ${maskedRegistration(destination.registrationId)}`;

/** Returns a destination for operators: a card by brand, last digits and the holder's initials. */
export function destinationText(destination: ShownDestination): string {
  if (!isCardDestination(destination)) return `registration ${destination.registrationId}`;
  const { brand, last4, initials } = destination;
  return `${brand} card …${last4} of ${initials}`;
}

/** Returns the part of the refund's amount that no attempt has paid yet, in minor units. */
export function owedOf({ amountMinor, attempts }: RefundRecord): bigint {
  return attempts
    .filter(({ state }) => state === 'succeeded')
    .reduce((left, attempt) => left - attempt.amountMinor, amountMinor);
}

/** Returns the attempt that a command is about when it names none: the open one, else the newest. */
export function attemptInQuestion({ attempts }: RefundRecord): AttemptRecord | undefined {
  return attempts.find(({ state }) => isOpenAttempt(state)) ?? attempts.at(-1);
}

export function attemptText({ operation, reference, amountMinor }: AttemptRecord, currency: string): string {
  return `${ATTEMPT_TYPES[operation]} ${reference} over ${amountText(amountMinor, currency)}`;
}

export function effectOfCorrection(refundId: string, details: CorrectionDetails): string {
  const { outcome, currency, reference = '', cases = [] } = details;
  const amount = amountText(BigInt(details.amountMinor), currency);
  const shown = `, as this shows: ${details.evidence}`;
  switch (outcome) {
    case 'succeeded':
      return `${amount} count as paid by attempt ${reference} of refund ${refundId}; nothing is sent${shown}`;
    case 'failed':
      return `attempt ${reference} of refund ${refundId} counts as never paid: ${amount} are not paid and no longer reserved${shown}`;
    case 'case_closed':
      return `the cases ${cases.join(', ')} of refund ${refundId} over ${amount} are closed; no amount changes${shown}`;
    default:
      return outcome satisfies never;
  }
}

export function effectOfApproval({ id, instruction, isUnlinkedCredit }: RefundRecord): string {
  if (instruction === null) return 'Nothing waits for an approval.';
  const amount = amountText(BigInt(instruction.amountMinor), instruction.currency);
  const proof = isUnlinkedCredit
    ? 'It is linked to no payment, so no balance limits it: this approval is the only check'
    : 'Before it is submitted, the gateway is queried once more for other payments to the customer';
  return `A credit of ${amount} for refund ${id} goes to ${destinationText(instruction.destination)} (${instruction.why.join(', ')}). ${proof}.`;
}

export function effectOfWithdrawal(refund: RefundRecord): string {
  const where = refund.isUnlinkedCredit ? 'asked for as a credit' : `on payment ${refund.paymentId}`;
  return `${amountText(owedOf(refund), refund.currency)} ${where} are not paid back and no longer reserved; refund ${refund.id} ends.`;
}

export function effectOfDestinationChange(refund: RefundRecord, destination?: Destination): string {
  const amount = amountText(owedOf(refund), refund.currency);
  const to = destination === undefined ? 'another destination' : namedText(destination);
  const instead = refund.destination === null ? 'the one that paid' : maskedDestination(refund.destination);
  return `A credit of ${amount} for refund ${refund.id} is to go to ${to} instead of ${instead}. All checks run again, and another operator approves before anything is sent.`;
}

export function effectOfLink(refund: RefundRecord, gatewayId?: string): string {
  const attempt = attemptInQuestion(refund);
  const what = attempt === undefined ? 'an attempt' : attemptText(attempt, refund.currency);
  return `The state of gateway transaction ${gatewayId ?? '(its id)'} is recorded as the outcome of ${what}. If it paid, its amount counts for refund ${refund.id}. Nothing is sent now.`;
}

export function effectOfCorrecting(refund: RefundRecord, wanted?: Partial<CorrectionDetails>): string {
  const attempt =
    wanted?.reference === undefined
      ? attemptInQuestion(refund)
      : refund.attempts.find(({ reference }) => reference === wanted.reference);
  if (wanted?.outcome === undefined) {
    const amount = amountText(attempt?.amountMinor ?? refund.amountMinor, refund.currency);
    return `${amount} of refund ${refund.id} are recorded as paid or as never paid, or its open cases are closed, on evidence from outside the gateway. Nothing is sent.`;
  }
  const text = effectOfCorrection(refund.id, {
    outcome: wanted.outcome,
    evidence: wanted.evidence ?? '',
    amountMinor: (attempt?.amountMinor ?? refund.amountMinor).toString(),
    currency: refund.currency,
    ...(attempt === undefined ? {} : { reference: attempt.reference }),
    cases: wanted.cases ?? refund.openCases.map(({ why }) => why),
  });
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

export const effectOfSync = ({ id }: RefundRecord): string =>
  `The gateway is queried for the outcome of refund ${id}. Nothing is sent.`;

export const effectOfReplaying = (refund: RefundRecord): string =>
  refund.state === 'manual_review' && !refund.attempts.some(({ state }) => isOpenAttempt(state))
    ? `${amountText(owedOf(refund), refund.currency)} of refund ${refund.id} are submitted again from its first unsent step, after all checks and with new budgets. A credit needs a new approval where policy asks for one.`
    : effectOfStarting(refund);

const effectOfStarting = ({ id, amountMinor, currency }: RefundRecord): string =>
  `A run of refund ${id} over ${amountText(amountMinor, currency)} is started where none is alive. It continues from the ledger, so nothing is sent twice.`;
