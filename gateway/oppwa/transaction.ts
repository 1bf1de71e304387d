/** A transaction in the gateway's own field names and payment types, and the same in the domain's terms. */
import type { Operation } from '../../domain/refund/operation.js';
import type { GatewayTransaction, RecordedTransaction, TransactionType } from '../../domain/transaction.js';
import type { HostKind } from '../settings.js';
import { readResult } from './read-code.js';

/** The allow-list of fields that are read from an answer, as the vendor names them. Absent means that the gateway left it out. */
export interface OppwaTransaction {
  /** 32 lowercase hex. Absent on validation errors: no transaction was created. */
  readonly id?: string;
  /** `DB`, `PA`, `CP`, `RF`, `RV`, `CD`, `CB`, `CR`, `RB`, `RC` … */
  readonly paymentType?: string;
  readonly amount?: string;
  readonly currency?: string;
  readonly merchantTransactionId?: string;
  readonly referencedId?: string;
  readonly registrationId?: string;
  readonly paymentBrand?: string;
  readonly result: { readonly code: string; readonly description: string };
  /** `resultDetails.ExtendedDescription`. */
  readonly extendedDescription?: string;
  /** `result.parameterErrors`. */
  readonly parameterErrors?: readonly string[];
  readonly timestamp?: string;
}

/** `paymentType` of each order, and of the answer that belongs to it. */
export const PAYMENT_TYPES = { refund: 'RF', reversal: 'RV', credit: 'CD' } as const satisfies Record<
  Operation,
  string
>;

/** Any other type is `other:` and its own name. */
const TYPES: ReadonlyMap<string, TransactionType> = new Map<string, TransactionType>([
  ['DB', 'debit'],
  ['PA', 'preauthorization'],
  ['CP', 'capture'],
  ['RF', 'refund'],
  ['RV', 'reversal'],
  ['CD', 'credit'],
  ['CB', 'chargeback'],
  ['CR', 'chargeback_reversal'],
]);

/** Translates names and payment type; the result stays as it is. */
export function recordedOf(transaction: OppwaTransaction): RecordedTransaction {
  const { paymentType, merchantTransactionId, ...rest } = transaction;
  return {
    ...rest,
    ...(paymentType === undefined ? {} : { type: TYPES.get(paymentType) ?? `other:${paymentType}` }),
    ...(merchantTransactionId === undefined ? {} : { reference: merchantTransactionId }),
  };
}

/** The same, with what its result means on this kind of host. */
export const transactionOf = (transaction: OppwaTransaction, host: HostKind): GatewayTransaction =>
  interpret(recordedOf(transaction), host);

export const interpret = (recorded: RecordedTransaction, host: HostKind): GatewayTransaction => ({
  ...recorded,
  result: readResult(recorded.result, host),
});
