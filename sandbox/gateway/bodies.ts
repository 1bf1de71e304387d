/** Builds the JSON bodies of the gateway. Which fields are present in which situation is part of its contract. */
import { formatAmount } from './amounts.js';
import { hex, type IdSource } from './ids.js';
import { textOf } from './result-texts.js';
import type { Entity } from './settings.js';
import { isAboutRegistration, type AnswerBody, type ParameterError, type Transaction } from './types.js';

const BUILD_NUMBER = '6b1a3415e53ece34d6bb3f0421c774d82620c4ab@2026-09-01 10:22:16 +0000';

/** `2026-09-01 10:22:16+0000` in answers to a POST; with milliseconds in answers to queries and in webhooks. */
function timestampText(ms: number, precision: 'seconds' | 'milliseconds'): string {
  const iso = isoOf(ms);
  const length = precision === 'seconds' ? 19 : 23;
  return `${iso.slice(0, 10)} ${iso.slice(11, length)}+0000`;
}

/** Cache: queries format the same few timestamps again and again. */
const isoTexts = new Map<number, string>();
const MAX_ISO_TEXTS = 64;

function isoOf(ms: number): string {
  let iso = isoTexts.get(ms);
  if (iso === undefined) {
    iso = new Date(ms).toISOString();
    if (isoTexts.size >= MAX_ISO_TEXTS) isoTexts.clear();
    isoTexts.set(ms, iso);
  }
  return iso;
}

/** A body with a result and no transaction: for authentication failures, validation errors, forced declines, "Cannot find transaction". */
export function bareBody(
  ids: IdSource,
  entityId: string,
  now: number,
  code: string,
  parameterErrors: readonly ParameterError[] = [],
): AnswerBody {
  const description = textOf(code);
  return {
    result: parameterErrors.length === 0 ? { code, description } : { code, description, parameterErrors },
    buildNumber: BUILD_NUMBER,
    timestamp: timestampText(now, 'seconds'),
    ndc: `${entityId}_${hex(ids, 32)}`,
  };
}

/** The answer to the request that created or tried to create `transaction`. */
export function answerBody(ids: IdSource, entity: Entity, transaction: Transaction, now: number): AnswerBody {
  if (isAboutRegistration(transaction.type)) return registrationBody(ids, entity, transaction, now);
  const { showsAmount, type } = transaction;
  const isCredit = type === 'CD';
  return body(ids, entity, transaction, showsAmount, {
    timestamp: timestampText(now, 'seconds'),
    risk: showsAmount && !isCredit ? undefined : { score: '0' },
    source: isCredit ? transaction.source : undefined,
    paymentMethod: isCredit ? 'CC' : undefined,
    shortId: isCredit ? transaction.shortId : undefined,
  });
}

/** The answer to a registration or its removal has neither a type nor the caller's reference. */
function registrationBody(
  ids: IdSource,
  entity: Entity,
  { id, type, resultCode, referencedId, paymentBrand, card }: Transaction,
  now: number,
): AnswerBody {
  return {
    id,
    referencedId: type === 'DR' ? (referencedId ?? undefined) : undefined,
    paymentBrand: paymentBrand ?? undefined,
    card: card ?? undefined,
    ...bareBody(ids, entity.id, now, resultCode),
  };
}

/** The transaction as queries and webhooks show it. A declined debit has no amount there. */
export function recordBody(ids: IdSource, entity: Entity, transaction: Transaction): AnswerBody {
  const isDeclinedPayment =
    transaction.state === 'rejected' && (transaction.type === 'DB' || transaction.type === 'PA');
  return body(ids, entity, transaction, transaction.showsAmount && !isDeclinedPayment, {
    timestamp: timestampText(transaction.changedAt, 'milliseconds'),
    source: transaction.source,
    paymentMethod: 'CC',
    shortId: transaction.shortId,
    channelName: nameOf(entity),
  });
}

function nameOf(entity: Entity): string {
  return entity.name ?? 'sandbox';
}

/** Details of the acquirer. Those of a credit are the ones of the vendor's published sample, derived from the transaction. */
function detailsOf(
  entity: Entity,
  { type, state, shortId, merchantTransactionId }: Transaction,
  description: string,
): Readonly<Record<string, string>> {
  if (type !== 'CD') return { ExtendedDescription: description };
  const digits = shortId.replaceAll('.', '');
  const isApproved = state === 'succeeded';
  return {
    ExtendedDescription: isApproved ? 'Approved or completed successfully' : description,
    clearingInstituteName: 'Postbank P.O.S. Transact GmbH',
    ConnectorTxID1: digits.slice(0, 6),
    ConnectorTxID3: `26K${digits.slice(-5)}`,
    AcquirerResponse: isApproved ? '00' : '05',
    ...(merchantTransactionId === null ? {} : { reconciliationId: merchantTransactionId }),
    merchantAccountId: `8a829418${entity.id.slice(8)}`,
  };
}

/** One literal with all fields, because spreading several objects is ten times as slow and a query builds many bodies. */
function body(
  ids: IdSource,
  entity: Entity,
  transaction: Transaction,
  hasAmount: boolean,
  rest: Pick<AnswerBody, 'risk' | 'source' | 'paymentMethod' | 'shortId' | 'channelName'> & {
    readonly timestamp: string;
  },
): AnswerBody {
  const { resultCode, showsAmount } = transaction;
  const description = textOf(resultCode);
  const showsItsAmount = hasAmount && !transaction.hidesAmount;
  return {
    id: transaction.id,
    registrationId: transaction.registrationId ?? undefined,
    paymentType: transaction.type,
    paymentBrand: transaction.paymentBrand ?? undefined,
    descriptor: showsAmount ? `${transaction.shortId} ${nameOf(entity)}` : undefined,
    merchantTransactionId: transaction.merchantTransactionId ?? undefined,
    referencedId: transaction.showsReference ? (transaction.referencedId ?? undefined) : undefined,
    result: { code: resultCode, description },
    resultDetails: showsAmount ? detailsOf(entity, transaction, description) : undefined,
    card: transaction.card ?? undefined,
    amount: showsItsAmount ? formatAmount(transaction.amount) : undefined,
    currency: showsItsAmount ? transaction.currency : undefined,
    risk: rest.risk,
    buildNumber: BUILD_NUMBER,
    timestamp: rest.timestamp,
    ndc: `${entity.id}_${hex(ids, 32)}`,
    source: rest.source,
    paymentMethod: rest.paymentMethod,
    shortId: rest.shortId,
    channelName: rest.channelName,
  };
}
