/** The JSON bodies of the gateway: which fields are there in which situation is part of its contract. */
import { formatAmount } from './amounts.js';
import { hex, type IdSource } from './ids.js';
import { textOf } from './result-texts.js';
import type { Entity } from './settings.js';
import type { AnswerBody, ParameterError, Transaction } from './types.js';

const BUILD_NUMBER = '6b1a3415e53ece34d6bb3f0421c774d82620c4ab@2026-09-01 10:22:16 +0000';

/** `2026-09-01 10:22:16+0000` in answers to a POST, with milliseconds in look-ups and webhooks. */
function timestampText(ms: number, precision: 'seconds' | 'milliseconds'): string {
  const iso = new Date(ms).toISOString().replace('T', ' ');
  return `${precision === 'seconds' ? iso.slice(0, 19) : iso.slice(0, 23)}+0000`;
}

/** What every body ends with. */
function trailer(ids: IdSource, entityId: string, now: number): AnswerBody {
  return {
    buildNumber: BUILD_NUMBER,
    timestamp: timestampText(now, 'seconds'),
    ndc: `${entityId}_${hex(ids, 32)}`,
  };
}

/** A result and nothing else: authentication failures, validation errors, forced declines, "cannot find transaction". */
export function bareBody(
  ids: IdSource,
  entityId: string,
  now: number,
  code: string,
  parameterErrors: readonly ParameterError[] = [],
): AnswerBody {
  const result = { code, description: textOf(code) };
  return {
    result: parameterErrors.length === 0 ? result : { ...result, parameterErrors },
    ...trailer(ids, entityId, now),
  };
}

/** The answer to the POST that created or tried to create `transaction`. */
export function answerBody(ids: IdSource, entity: Entity, transaction: Transaction, now: number): AnswerBody {
  return {
    ...transactionFields(entity, transaction),
    ...(transaction.showsAmount ? amountFields(transaction) : { risk: { score: '0' } }),
    ...trailer(ids, entity.id, now),
  };
}

/** The same transaction as look-ups and webhooks tell it. A declined debit has no amount there. */
export function recordBody(ids: IdSource, entity: Entity, transaction: Transaction): AnswerBody {
  const isDeclinedPayment =
    transaction.state === 'rejected' && (transaction.type === 'DB' || transaction.type === 'PA');
  return {
    ...transactionFields(entity, transaction),
    ...(transaction.showsAmount && !isDeclinedPayment ? amountFields(transaction) : {}),
    ...trailer(ids, entity.id, transaction.changedAt),
    timestamp: timestampText(transaction.changedAt, 'milliseconds'),
    source: transaction.source,
    paymentMethod: 'CC',
    shortId: transaction.shortId,
    channelName: nameOf(entity),
  };
}

function nameOf(entity: Entity): string {
  return entity.name ?? 'sandbox';
}

function transactionFields(entity: Entity, transaction: Transaction): AnswerBody {
  return {
    id: transaction.id,
    registrationId: transaction.registrationId ?? undefined,
    paymentType: transaction.type,
    paymentBrand: transaction.paymentBrand ?? undefined,
    descriptor: transaction.showsAmount ? `${transaction.shortId} ${nameOf(entity)}` : undefined,
    merchantTransactionId: transaction.merchantTransactionId ?? undefined,
    referencedId: transaction.showsReference ? (transaction.referencedId ?? undefined) : undefined,
    result: {
      code: transaction.resultCode,
      description: textOf(transaction.resultCode),
    },
    resultDetails: transaction.showsAmount
      ? { ExtendedDescription: textOf(transaction.resultCode) }
      : undefined,
    card: transaction.card ?? undefined,
  };
}

function amountFields(transaction: Transaction): AnswerBody {
  return {
    amount: formatAmount(transaction.amount),
    currency: transaction.currency,
  };
}
