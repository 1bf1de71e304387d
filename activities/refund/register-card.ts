/** Registers a card at the gateway before a credit to it: the credit goes to the registration, and nothing of the card is kept. */
import type { SealedCard } from '../../domain/card/sealed-card.js';
import { isGatewayId } from '../../domain/ids.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import { answerOf, type GatewayTransaction } from '../../domain/transaction.js';
import type { OpenRegistration, RegistrationOutcome } from '../../ledger/ledger.js';
import type { Dependencies } from '../dependencies.js';
import { cardFields, withOpenedCard } from './opened-card.js';
import { sendOnce, untilStored, type Answer } from './submit.js';
import type { Task } from './task.js';

/**
 * Registers the card. `again` checks the credit again; it finds the registration then. A registration moves no money.
 */
export async function registerCard(
  deps: Dependencies,
  { refundId, config }: Task,
  { card, entityId }: { readonly card: SealedCard; readonly entityId: string },
  again: () => Promise<RefundSnapshot>,
): Promise<RefundSnapshot> {
  const { ledger } = deps;
  const { cardRef } = card;
  const outcome: { current?: RegistrationOutcome } = {};
  const snapshot = await withOpenedCard(deps, refundId, card, async (opened) => {
    const { timings } = config;
    const openedAt = deps.now();
    const registration = await ledger.openRegistration(card, entityId, timings);
    if (registration.kind === 'check_again') return ledger.snapshot(refundId);
    const { reference } = registration;
    const limits = { openedAt, sendWindow: timings.sendWindow, answerWithin: timings.answerWithin };
    const answer = await sendOnce(() =>
      deps.gateway.registerCard({
        ...cardFields(opened.reveal()),
        ...{ entityId, merchantTransactionId: reference, limits },
      }),
    );
    opened.destroy();
    outcome.current = outcomeOfAnswer(answer);
    return recorded(deps, refundId, { cardRef, entityId, reference }, outcome.current, answer);
  });
  return outcome.current?.kind === 'registered' ? again() : snapshot;
}

/** Records the outcome, and what follows for the refund if the card is not registered. */
async function recorded(
  deps: Dependencies,
  refundId: string,
  registration: Omit<OpenRegistration, 'at'>,
  outcome: RegistrationOutcome,
  answer?: Answer,
): Promise<RefundSnapshot> {
  const { ledger } = deps;
  await untilStored(deps, () => ledger.recordRegistration(refundId, registration, outcome));
  switch (outcome.kind) {
    case 'registered':
      return ledger.snapshot(refundId);
    case 'rejected':
      return ledger.openCase(refundId, 'card_not_registered', { ...outcome.result });
    case 'unknown':
      return recordWaiting(deps, refundId, 'the registration of the card has no certain answer');
    case 'not_sent':
      return answer?.kind === 'unfit'
        ? ledger.openCase(refundId, 'configuration', { problem: answer.problem })
        : recordWaiting(deps, refundId, 'the gateway cannot be reached to register the card');
    default:
      return outcome satisfies never;
  }
}

const recordWaiting = ({ ledger }: Dependencies, refundId: string, answer: string): Promise<RefundSnapshot> =>
  ledger.recordUnreadable(refundId, { for: 'registration', answer, isLasting: false });

/** Queries the gateway for a registration whose answer was lost, by its reference. A second registration under it is removed, so that the gateway keeps one. */
export async function queryRegistration(
  deps: Dependencies,
  { refundId, config }: Task,
  open: OpenRegistration,
  again: () => Promise<RefundSnapshot>,
): Promise<RefundSnapshot> {
  const { gateway, ledger } = deps;
  const { cardRef, entityId, reference } = open;
  const { timings } = config;
  const found = await gateway.findByReference(entityId, reference);
  if (found.kind === 'unavailable') return recordWaiting(deps, refundId, answerOf(found));
  const own = found.kind === 'found' ? found.value.filter((entry) => isRegistration(entry, reference)) : [];
  if (own.length === 0) {
    const isOpen = await ledger.recordRegistrationNotFound(open, timings);
    return isOpen ? recordWaiting(deps, refundId, 'the registration of the card is not found') : again();
  }
  const [first, ...others] = own.flatMap((entry) => outcomeOf(entry) ?? []).toSorted(registeredFirst);
  for (const { kind, ...other } of others) {
    if (kind !== 'registered' || !('registrationId' in other)) continue;
    const limits = {
      openedAt: deps.now(),
      sendWindow: timings.sendWindow,
      answerWithin: timings.answerWithin,
    };
    const removed = await gateway.removeRegistration(entityId, other.registrationId, limits);
    if (removed.kind !== 'answered')
      return recordWaiting(deps, refundId, 'a second registration of the card could not be removed');
  }
  const outcome = first ?? { kind: 'unknown' };
  const snapshot = await recorded(deps, refundId, { cardRef, entityId, reference }, outcome);
  return outcome.kind === 'registered' ? again() : snapshot;
}

const registeredFirst = (a: RegistrationOutcome, b: RegistrationOutcome): number =>
  Number(b.kind === 'registered') - Number(a.kind === 'registered');

const isRegistration = ({ type, reference }: GatewayTransaction, wanted: string): boolean =>
  reference === wanted && (type === undefined || type === 'registration');

function outcomeOfAnswer(answer: Answer): RegistrationOutcome {
  switch (answer.kind) {
    case 'answered':
      return outcomeOf(answer.transaction) ?? { kind: 'unknown' };
    case 'no_answer':
      return { kind: 'unknown' };
    case 'not_sent':
    case 'unfit':
      return { kind: 'not_sent' };
    default:
      return answer satisfies never;
  }
}

/** Undefined if the transaction shows neither a registration nor a decline. */
function outcomeOf({ id, result }: GatewayTransaction): RegistrationOutcome | undefined {
  const meaning = result.meaning.credit;
  const { code, description } = result;
  if (meaning.kind === 'declined') return { kind: 'rejected', result: { code, description } };
  return meaning.kind === 'succeeded' && id !== undefined && isGatewayId(id)
    ? { kind: 'registered', registrationId: id, result: { code, description } }
    : undefined;
}
