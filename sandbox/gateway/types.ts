/** What the simulated gateway knows and what it exchanges: transactions, requests, answers. No HTTP, no clock. */
import { z } from 'zod';
import { formatAmount, parseAmount } from './amounts.js';

/** `pending`: accepted, the final word comes later. `rejected`: final; after a success it means that the money came back. */
const state = z.enum(['pending', 'succeeded', 'rejected']);
const hundredths = z.codec(z.string(), z.bigint(), {
  decode: (text) => parseAmount(text) ?? 0n,
  encode: (value) => formatAmount(value),
});

/** All that is ever kept of a card. */
const cardSummary = z.object({ bin: z.string(), last4Digits: z.string() });
export type CardSummary = z.infer<typeof cardSummary>;

/** A change that the gateway will make by itself at `at` (milliseconds of its clock), if the state is then still `from`. */
const plan = z.object({
  at: z.number(),
  from: state,
  to: state,
  resultCode: z.string(),
});
export type Plan = z.infer<typeof plan>;

export const transactionType = z.enum(['PA', 'DB', 'CD', 'CP', 'RF', 'RV', 'RB', 'RC', 'CB', 'CR']);

/** Whether it gives the customer money, which may come back after a success. A payment and its captures do not. */
export function paysOut(type: Instruction['type'] | z.infer<typeof transactionType>): boolean {
  return type === 'RF' || type === 'RV' || type === 'CD';
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
  /** `OPP`: by the API. `SYSTEM`: by the platform (chargebacks) or by a person in its portal. */
  source: z.enum(['OPP', 'SYSTEM']),
  /** Milliseconds: when it was created, when it last changed, from when on look-ups show it. */
  timestamp: z.number(),
  changedAt: z.number(),
  visibleAt: z.number(),
  /** Money moved at some moment, even if it came back afterwards. */
  executed: z.boolean(),
  /** False on reference rejections: the gateway answers them without amount and currency. */
  showsAmount: z.boolean(),
  /** False where the gateway leaves `referencedId` out, as in its answers of 2017. */
  showsReference: z.boolean(),
  /** True where the gateway leaves the amount of an executed reversal out, as its order did. */
  hidesAmount: z.boolean().default(false),
  /** False where look-ups show it by its id alone. */
  isListed: z.boolean().default(true),
  plans: z.array(plan),
});
export type Transaction = Readonly<z.output<typeof transactionCodec>>;

export const registrationCodec = z.object({
  id: z.string(),
  entityId: z.string(),
  card: cardSummary,
});
export type Registration = Readonly<z.infer<typeof registrationCodec>>;

/** A request that passed validation. The card number is already gone. */
export const instructionCodec = z.object({
  entityId: z.string(),
  type: transactionType.or(z.literal('PA.CP')),
  /** Null only on a reversal, which then takes all that is left. */
  amount: hundredths.nullable(),
  currency: z.string().nullable(),
  referencedId: z.string().nullable(),
  registrationId: z.string().nullable(),
  merchantTransactionId: z.string().nullable(),
  paymentBrand: z.string().nullable(),
  card: cardSummary.nullable(),
  createRegistration: z.boolean(),
  testMode: z.enum(['INTERNAL', 'EXTERNAL']),
  /** `forceResultCode` gives an answer without id, a card holder that is a code gives a recorded decline. */
  forced: z.object({ code: z.string(), recorded: z.boolean() }).nullable(),
});
export type Instruction = Readonly<z.output<typeof instructionCodec>>;

/** An accepted request that the gateway carries out only at `at`. */
export const deferredCodec = z.object({
  key: z.string(),
  at: z.number(),
  instruction: instructionCodec,
});
export type Deferred = Readonly<z.output<typeof deferredCodec>>;

/** Where a request was addressed to. */
export type WriteEndpoint =
  | { readonly kind: 'create' }
  | { readonly kind: 'register' }
  | { readonly kind: 'pay_registration'; readonly registrationId: string }
  | { readonly kind: 'backoffice'; readonly id: string };
export type LookUpEndpoint =
  | { readonly kind: 'v1_payment'; readonly id: string }
  | { readonly kind: 'v1_query'; readonly id: string }
  | { readonly kind: 'v1_search' }
  | { readonly kind: 'v3_query'; readonly id: string }
  | { readonly kind: 'v3_search' }
  | { readonly kind: 'result_codes' };

export interface GatewayRequest<E> {
  readonly endpoint: E;
  /** The `Authorization` header as sent, null when there is none. */
  readonly authorization: string | null;
  /** Form fields of a POST, query string of a GET. */
  readonly parameters: ReadonlyMap<string, string>;
}

export interface ParameterError {
  readonly name: string;
  readonly value: string | null;
  readonly message: string;
}

/** A JSON answer. `undefined` fields are left out on the wire. */
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
  readonly resultDetails?: { readonly ExtendedDescription: string } | undefined;
  readonly card?: CardSummary | undefined;
  readonly risk?: { readonly score: string } | undefined;
  /** Only in look-ups and webhooks. */
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

/** What reaches the client, `afterMs` milliseconds after the request was carried out. */
export type Delivery =
  | {
      readonly kind: 'answer';
      readonly httpStatus: number;
      readonly body: AnswerBody;
      readonly afterMs: number;
    }
  /** Anything that is not the answer the gateway meant to give. `cutOff`: the connection ends in the middle of the text. */
  | {
      readonly kind: 'raw';
      readonly httpStatus: number;
      readonly contentType: string;
      readonly text: string;
      readonly location: string | null;
      readonly cutOff: boolean;
      readonly afterMs: number;
    }
  /** The connection ends without a byte. */
  | { readonly kind: 'dropped'; readonly afterMs: number };
