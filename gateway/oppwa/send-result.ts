/** Result of one request that moves money: the gateway's answer, or the reason that it cannot be read, with every id found in its text. */
import type { SendResult } from '../../domain/transaction.js';
import { idsInPart } from '../http/answer-ids.js';
import { readTransactionBody } from './answer.js';
import type { Exchange } from '../http/one-request.js';
import type { HostKind } from '../settings.js';
import { transactionOf } from './transaction.js';

/** Ignores the HTTP status if the body can be read: a decline has 200 from one acquirer and 400 from another. */
export function sendResultOf(exchange: Exchange, host: HostKind): SendResult {
  switch (exchange.kind) {
    case 'not_sent':
      return exchange;
    case 'no_answer': {
      const { received = '', ...rest } = exchange;
      return { ...rest, ...idsOf(received) };
    }
    case 'answered': {
      const { httpStatus, body } = exchange;
      const read = readTransactionBody(body);
      return read.ok
        ? { kind: 'answered', httpStatus, transaction: transactionOf(read.value, host) }
        : { kind: 'no_answer', why: read.why, httpStatus, ...idsOf(body) };
    }
    default:
      return exchange satisfies never;
  }
}

function idsOf(text: string): { readonly ids?: readonly string[] } {
  const ids = idsInPart(text);
  return ids.length > 0 ? { ids } : {};
}
