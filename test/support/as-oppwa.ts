/** The domain's functions for tests that describe transactions with the gateway's own fields and codes. */
import type { Observation, OriginalReading } from '../../domain/payment/original.js';
import * as originals from '../../domain/payment/original.js';
import * as linkCommand from '../../domain/refund/link.js';
import * as notifications from '../../domain/refund/notification.js';
import * as outcomes from '../../domain/refund/outcome.js';
import type { SendResult } from '../../domain/transaction.js';
import type { HostKind } from '../../gateway/settings.js';
import { recordedOf, transactionOf, type OppwaTransaction } from '../../gateway/oppwa/transaction.js';

/** An order, and the kind of the host that receives it. */
export interface Expectation extends outcomes.Expectation {
  readonly host: HostKind;
}

/** The domain's `SendResult`, with the gateway's transaction in an answer. */
export type OppwaSendResult =
  | Exclude<SendResult, { readonly kind: 'answered' }>
  | { readonly kind: 'answered'; readonly httpStatus: number; readonly transaction: OppwaTransaction };

const sent = (result: OppwaSendResult, host: HostKind): SendResult =>
  result.kind === 'answered' ? { ...result, transaction: transactionOf(result.transaction, host) } : result;

const all = (found: readonly OppwaTransaction[], host: HostKind) =>
  found.map((transaction) => transactionOf(transaction, host));

export const outcomeOfSend = (result: OppwaSendResult, expected: Expectation): outcomes.Outcome =>
  outcomes.outcomeOfSend(sent(result, expected.host), expected);

export const outcomeOfFound = (
  found: readonly OppwaTransaction[],
  expected: Expectation,
): outcomes.Outcome | outcomes.NoMatch => outcomes.outcomeOfFound(all(found, expected.host), expected);

export const readLink = (
  transaction: OppwaTransaction,
  expected: Expectation,
  isLinked: boolean,
): linkCommand.LinkReading =>
  linkCommand.readLink(transactionOf(transaction, expected.host), expected, isLinked);

export const readNotification = (
  transaction: OppwaTransaction,
  attempt: notifications.NotifiedAttempt,
  host: HostKind,
): notifications.NotificationMeaning =>
  notifications.readNotification(transactionOf(transaction, host), attempt);

export const isShown = (reported: OppwaTransaction, shown: readonly OppwaTransaction[]): boolean =>
  notifications.isShown(recordedOf(reported), all(shown, 'test'));

export const readOriginal = (
  tree: { readonly original: OppwaTransaction; readonly linked: readonly OppwaTransaction[] },
  host: HostKind,
  observation: Observation,
): OriginalReading =>
  originals.readOriginal(
    { original: transactionOf(tree.original, host), linked: all(tree.linked, host) },
    observation,
  );
