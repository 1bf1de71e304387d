/** Translates transactions from the gateway's field names and payment types to those of the domain. */
import type { Operation } from '../../domain/refund/operation.js';
import type {
  GatewayTransaction,
  RecordedTransaction,
  SettlementDetails,
  TransactionType,
} from '../../domain/transaction.js';
import type { HostKind } from '../settings.js';
import { readResult } from './read-code.js';

/** The fields that are read from an answer, with the vendor's names. No other field is read. A field is absent if the gateway left it out. */
export interface OppwaTransaction {
  /** 32 lowercase hex digits. Absent on validation errors: no transaction was created. */
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
  /** Fields of `resultDetails`, `shortId` and `descriptor`. */
  readonly settlement?: SettlementDetails;
  /** `card.last4Digits`. */
  readonly cardLast4?: string;
}

/** `paymentType` of each operation, in the request and in its answer. */
export const PAYMENT_TYPES = { refund: 'RF', reversal: 'RV', credit: 'CD' } as const satisfies Record<
  Operation,
  string
>;

/** Types of the domain by `paymentType`. Any other one becomes `other:` and the gateway's name. */
const TYPES: ReadonlyMap<string, TransactionType> = new Map<string, TransactionType>([
  ['DB', 'debit'],
  ['PA', 'preauthorization'],
  ['CP', 'capture'],
  ['RF', 'refund'],
  ['RV', 'reversal'],
  ['CD', 'credit'],
  ['CB', 'chargeback'],
  ['CR', 'chargeback_reversal'],
  ['RG', 'registration'],
]);

/** Translates field names and the payment type. Does not interpret the result code. */
export function recordedOf(transaction: OppwaTransaction): RecordedTransaction {
  const { paymentType, merchantTransactionId, ...rest } = transaction;
  return {
    ...rest,
    ...(paymentType === undefined ? {} : { type: TYPES.get(paymentType) ?? `other:${paymentType}` }),
    ...(merchantTransactionId === undefined ? {} : { reference: merchantTransactionId }),
  };
}

/** Translates a transaction and adds the meaning of its result code on this kind of host. */
export const transactionOf = (transaction: OppwaTransaction, host: HostKind): GatewayTransaction =>
  interpret(recordedOf(transaction), host);

export const interpret = (recorded: RecordedTransaction, host: HostKind): GatewayTransaction => ({
  ...recorded,
  result: readResult(recorded.result, host),
});
