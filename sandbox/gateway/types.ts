/** Types of the gateway simulator: transactions in its books, requests and answers. */
import { z } from 'zod';
import { formatAmount, parseAmount } from './amounts.js';

/** `pending`: accepted, the outcome follows. `rejected`: final. A success that becomes `rejected` means that the money was returned. */
const state = z.enum(['pending', 'succeeded', 'rejected']);
const hundredths = z.codec(z.string(), z.bigint(), {
  decode: (text) => parseAmount(text) ?? 0n,
  encode: (value) => formatAmount(value),
});

/** The only card data that the simulator stores. Journals of older versions have neither holder nor expiry. */
const cardSummary = z.object({
  bin: z.string(),
  last4Digits: z.string(),
  holder: z.string().exactOptional(),
  expiryMonth: z.string().exactOptional(),
  expiryYear: z.string().exactOptional(),
});
export type CardSummary = z.infer<typeof cardSummary>;

/** A change that the gateway makes by itself at `at` (milliseconds of its clock), if the state is still `from` then. */
const planned = z.object({
  at: z.number(),
  from: state,
  to: state,
  resultCode: z.string(),
});
export type PlannedChange = z.infer<typeof planned>;

/** `RG` and `DR`: a card became a registration, and a registration was removed. */
export const transactionType = z.enum([
  'PA',
  'DB',
  'CD',
  'CP',
  'RF',
  'RV',
  'RB',
  'RC',
  'CB',
  'CR',
  'RG',
  'DR',
]);

/** True if the transaction gives the customer money, which can be returned after a success: a refund, reversal or credit. */
export function paysCustomer(type: Instruction['type'] | z.infer<typeof transactionType>): boolean {
  return type === 'RF' || type === 'RV' || type === 'CD';
}

/** True if the type changes a registration and moves no money. Such a transaction has no amount. */
export function isAboutRegistration(type: Instruction['type']): boolean {
  return type === 'RG' || type === 'DR';
}

/** One transaction in the gateway's books. In JSON the amount is a decimal string. */
export const transactionCodec = z.object({
  id: z.string(),
  entityId: z.string(),
  type: transactionType,
  amount: hundredths,
  currency: z.string(),
  referencedId: z.string().nullable(),
  state,
  merchantTransactionId: z.string().nullable(),
  registrationId: z.string().nullable(),
  paymentBrand: z.string().nullable(),
  card: cardSummary.nullable(),
  resultCode: z.string(),
  shortId: z.string(),
  /** `OPP`: created over the API. `SYSTEM`: created by the platform (chargebacks) or by an operator in its portal. */
  source: z.enum(['OPP', 'SYSTEM']),
  /** Milliseconds: when it was created, when it last changed, and when queries begin to show it. */
  timestamp: z.number(),
  changedAt: z.number(),
  visibleAt: z.number(),
  /** True if money has moved, even if it was returned afterwards. */
  executed: z.boolean(),
  /** False for a transaction that was rejected because of its original: the gateway answers it without amount and currency. */
  showsAmount: z.boolean(),
  /** False if the gateway omits `referencedId`, as in its answers of 2017. */
  showsReference: z.boolean(),
  /** True if the gateway omits the amount of a reversal that was requested without one. */
  hidesAmount: z.boolean().default(false),
  /** False if only a query by its id finds it. */
  isListed: z.boolean().default(true),
  plannedChanges: z.array(planned),
});
export type Transaction = Readonly<z.output<typeof transactionCodec>>;

export const registrationCodec = z.object({
  id: z.string(),
  entityId: z.string(),
  card: cardSummary,
  isRemoved: z.boolean().default(false),
});
export type Registration = Readonly<z.infer<typeof registrationCodec>>;

/** A request that passed validation. Its card number is removed. */
export const instructionCodec = z.object({
  entityId: z.string(),
  type: transactionType.or(z.literal('PA.CP')),
  /** Null only for a reversal, which then takes the whole remaining amount. */
  amount: hundredths.nullable(),
  currency: z.string().nullable(),
  referencedId: z.string().nullable(),
  registrationId: z.string().nullable(),
  merchantTransactionId: z.string().nullable(),
  paymentBrand: z.string().nullable(),
  card: cardSummary.nullable(),
  createRegistration: z.boolean(),
  testMode: z.enum(['INTERNAL', 'EXTERNAL']),
  /** A result that the request itself asks for: `forceResultCode` gives an answer without an id (not recorded), a card holder that is a code gives a recorded decline. */
  forced: z.object({ code: z.string(), recorded: z.boolean() }).nullable(),
});
export type Instruction = Readonly<z.output<typeof instructionCodec>>;

/** An accepted request that the gateway executes only at `at`. */
export const deferredCodec = z.object({
  key: z.string(),
  at: z.number(),
  instruction: instructionCodec,
});
export type Deferred = Readonly<z.output<typeof deferredCodec>>;

/** The endpoints that may move money, and those that change registrations. */
export type WriteEndpoint =
  | { readonly kind: 'create' }
  | { readonly kind: 'register' }
  | { readonly kind: 'deregister'; readonly registrationId: string }
  | { readonly kind: 'pay_registration'; readonly registrationId: string }
  | { readonly kind: 'backoffice'; readonly id: string };
/** The endpoints that only read. */
export type QueryEndpoint =
  | { readonly kind: 'v1_payment'; readonly id: string }
  | { readonly kind: 'v1_query'; readonly id: string }
  | { readonly kind: 'v1_search' }
  | { readonly kind: 'v3_query'; readonly id: string }
  | { readonly kind: 'v3_search' }
  | { readonly kind: 'result_codes' };

export interface GatewayRequest<E> {
  readonly endpoint: E;
  /** The `Authorization` header as sent, or null if there is none. */
  readonly authorization: string | null;
  /** Form fields of a POST, query string of a GET. */
  readonly parameters: ReadonlyMap<string, string>;
}

export interface ParameterError {
  readonly name: string;
  readonly value: string | null;
  readonly message: string;
}

/** A JSON answer. Fields that are `undefined` are absent on the wire. */
export interface AnswerBody {
  readonly id?: string | undefined;
  readonly registrationId?: string | undefined;
  readonly paymentType?: string | undefined;
  readonly paymentBrand?: string | undefined;
  readonly amount?: string | undefined;
  readonly currency?: string | undefined;
  readonly descriptor?: string | undefined;
  readonly merchantTransactionId?: string | undefined;
  readonly referencedId?: string | undefined;
  readonly result?: {
    readonly code: string;
    readonly description: string;
    readonly parameterErrors?: readonly ParameterError[];
  };
  readonly resultDetails?: Readonly<Record<string, string>> | undefined;
  readonly card?: CardSummary | undefined;
  readonly risk?: { readonly score: string } | undefined;
  /** In answers to queries, in webhooks, and in the answer to a credit. `channelName`: not in the latter. */
  readonly source?: string | undefined;
  readonly paymentMethod?: string | undefined;
  readonly shortId?: string | undefined;
  readonly channelName?: string | undefined;
  /** Containers: v1 search, v3. */
  readonly payments?: readonly AnswerBody[];
  readonly records?: readonly AnswerBody[];
  readonly pages?: number;
  readonly resultCodes?: readonly {
    readonly code: string;
    readonly description: string;
  }[];
  readonly buildNumber?: string;
  readonly timestamp?: string;
  readonly ndc?: string;
}

export interface Answer {
  readonly httpStatus: number;
  readonly body: AnswerBody;
}

/** The client's view of the answer, `afterMs` milliseconds after the request was executed. */
export type Delivery =
  | {
      readonly kind: 'answer';
      readonly httpStatus: number;
      readonly body: AnswerBody;
      readonly afterMs: number;
    }
  /** A text other than the gateway's regular answer. `cutOff`: the connection closes in the middle of the text. */
  | {
      readonly kind: 'raw';
      readonly httpStatus: number;
      readonly contentType: string;
      readonly text: string;
      readonly location: string | null;
      readonly cutOff: boolean;
      readonly afterMs: number;
    }
  /** The connection closes without a byte. */
  | { readonly kind: 'dropped'; readonly afterMs: number };
