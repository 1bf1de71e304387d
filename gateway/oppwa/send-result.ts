/** Result of one request that moves money: the answer, or the reason that none can be read, with every id in it. */
import type { SendResult } from '../../domain/transaction.js';
import { idsInPart } from '../http/answer-ids.js';
import { readTransactionBody } from './answer.js';
import type { Exchange } from '../http/one-request.js';
import type { HostKind } from '../settings.js';
import { transactionOf } from './transaction.js';

/** The HTTP status decides nothing where the body can be read: a decline comes with 200 from one acquirer and 400 from another. */
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
