/** Builds the JSON bodies of the gateway. Which fields are present in which situation is part of its contract. */
import { formatAmount } from './amounts.js';
import { hex, type IdSource } from './ids.js';
import { textOf } from './result-texts.js';
import type { Entity } from './settings.js';
import type { AnswerBody, ParameterError, Transaction } from './types.js';

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

/** The answer to the POST that created or tried to create `transaction`. */
export function answerBody(ids: IdSource, entity: Entity, transaction: Transaction, now: number): AnswerBody {
  const { showsAmount } = transaction;
  return body(ids, entity, transaction, showsAmount, {
    timestamp: timestampText(now, 'seconds'),
    risk: showsAmount ? undefined : { score: '0' },
  });
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
    resultDetails: showsAmount ? { ExtendedDescription: description } : undefined,
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
