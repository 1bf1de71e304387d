/** Zod schemas for the fields of a request, and the rules for stored text. */
import { z } from 'zod';
import { boundedText } from '../bounded-text.js';
import { isCardRef } from '../ids.js';
import { looksLikeCard } from '../card/card-number.js';
import type { Destination } from './destination.js';
import type { DeclaredType } from '../payment/declared-payment.js';

/** False for U+0000 and for half of a surrogate pair, which PostgreSQL cannot store. */
function isStorable(value: string): boolean {
  return !value.includes('\u0000') && !/\p{Surrogate}/u.test(value);
}

const hex32 = z
  .string({ error: 'must be text' })
  .regex(/^[a-f0-9]{32}$/, 'must be 32 lowercase hexadecimal characters, as the gateway gave it');

/** Problem of text that may contain a card number: the text is stored unencrypted and shown to others. */
export const CARD_IN_TEXT = {
  code: 'card_number',
  message:
    'must not hold a card number or security code, nor a number with the prefix, length and check digit of a card, however it is written: it is kept in the clear. Use another number, or a part of it',
} as const;
const holdsNoCard = [
  (value: string) => !looksLikeCard(value),
  { error: CARD_IN_TEXT.message, params: { code: CARD_IN_TEXT.code } },
] as const;

/** True if only name and value together look like a card. Otherwise the problem is reported for the one that does. */
const isCardTogether = ([name, value]: [string, string]): boolean =>
  !looksLikeCard(name) && !looksLikeCard(value) && looksLikeCard(`${name}: ${value}`);

const text = (max: number) =>
  boundedText(max)
    .refine((value) => value.trim() !== '', 'must not be empty')
    // eslint-disable-next-line no-control-regex -- control characters are what is refused
    .refine((value) => !/[\u0000-\u001f\u007f]/.test(value), 'must not contain control characters')
    .refine(isStorable, 'must be well-formed Unicode')
    .refine(...holdsNoCard);

const declaredTypes = ['DB', 'PA', 'CP'] as const satisfies readonly DeclaredType[];

/** Shape of a destination: exactly one of the two fields. `error` is the problem of anything else. */
export const destinationShape = (error: string) =>
  z
    .strictObject(
      {
        registrationId: hex32.optional(),
        cardRef: z
          .string({ error: 'must be text' })
          .refine(isCardRef, 'must be the cardRef that POST /v1/cards gave')
          .describe(
            'A sealed card: the credit always needs an approver. 422 with `cards_not_configured` where no keys of cards are configured',
          )
          .optional(),
      },
      { error },
    )
    .refine(
      ({ registrationId, cardRef }) => (registrationId === undefined) !== (cardRef === undefined),
      error,
    )
    .meta({ minProperties: 1, maxProperties: 1 });

/** Returns the destination that a value of `destinationShape` names. */
export function namedDestination({
  registrationId,
  cardRef,
}: z.infer<ReturnType<typeof destinationShape>>): Destination {
  return cardRef === undefined ? { registrationId: registrationId ?? '' } : { cardRef };
}

/** Fields of a refund request. `readRefundRequest` reads amount and currency together. */
export const refundRequestShape = z.strictObject({
  paymentId: hex32,
  amount: z.string({ error: 'must be a decimal string, for example "12.34"' }),
  currency: z.string({ error: 'must be an ISO 4217 code, for example "EUR"' }),
  reason: text(200),
  orderId: text(255).optional(),
  destination: destinationShape('must be { "registrationId": … } or { "cardRef": … }').optional(),
  payment: z
    .strictObject({
      type: z.enum(declaredTypes, { error: 'must be DB, PA or CP' }),
      amount: z.string({ error: 'must be a decimal string, for example "12.34"' }),
      currency: z.string({ error: 'must be an ISO 4217 code, for example "EUR"' }),
      registrationId: hex32.optional(),
    })
    .describe('What you captured. A payment that is new here is then accepted without a query of the gateway')
    .optional(),
  entityId: hex32.optional(),
  metadata: z
    .record(
      text(40),
      boundedText(500)
        .refine(isStorable, 'must be well-formed Unicode without U+0000')
        .refine(...holdsNoCard),
    )
    .refine((entries) => Object.keys(entries).length <= 50, 'must have at most 50 entries')
    // `{"cvv": "123"}`: the name shows the meaning of the value.
    .refine((entries) => !Object.entries(entries).some(isCardTogether), {
      error: CARD_IN_TEXT.message,
      params: { code: CARD_IN_TEXT.code },
    })
    .optional(),
});

/** Fields of a credit request, which needs a destination. `readCreditRequest` reads amount and currency together. */
export const creditRequestShape = refundRequestShape.omit({ payment: true }).extend({
  paymentId: hex32.optional(),
  destination: destinationShape('must be { "registrationId": … } or { "cardRef": … }: where the credit goes'),
});
