/** Opens a sealed card for one request, and overwrites it after that. */
import {
  CardUnreadable,
  type CardData,
  type CardPayer,
  type OpenedCard,
  type SealedCard,
} from '../../domain/card/sealed-card.js';
import type { RefundSnapshot } from '../../domain/refund/next-step.js';
import type { CardFields } from '../../gateway/gateway.js';
import type { Dependencies } from '../dependencies.js';

/** Runs `use` with the opened card. If the card does not open, nothing is submitted: the credit waits, or a case is opened. */
export async function withOpenedCard(
  { cards, ledger }: Dependencies,
  refundId: string,
  card: SealedCard,
  use: (opened: OpenedCard) => Promise<RefundSnapshot>,
): Promise<RefundSnapshot> {
  if (cards === undefined)
    return ledger.openCase(refundId, 'card_unreadable', { problem: 'this worker has no keys of cards' });
  let opened: OpenedCard;
  try {
    opened = await cards.open(card);
  } catch (error) {
    if (error instanceof CardUnreadable)
      return ledger.openCase(refundId, 'card_unreadable', { problem: error.message });
    return ledger.recordUnreadable(refundId, {
      for: 'card',
      answer: 'the key provider of cards cannot be reached',
      isLasting: false,
    });
  }
  try {
    return await use(opened);
  } finally {
    opened.destroy();
  }
}

/** Returns the card in the gateway's spelling. Call it only in the expression that sends the request. */
export const cardFields = ({
  brand,
  number,
  holder,
  expiryMonth,
  expiryYear,
  cvv,
  billing,
  customer,
}: CardData): CardFields & CardPayer => ({
  paymentBrand: brand,
  card: { number, holder, expiryMonth, expiryYear, ...(cvv === undefined ? {} : { cvv }) },
  ...(billing === undefined ? {} : { billing }),
  ...(customer === undefined ? {} : { customer }),
});
