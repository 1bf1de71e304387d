/** Payments that a client declared with a refund. A declaration never counts as shown by the gateway. */
import { formatAmount, storedMoney } from '../../domain/money/money.js';
import { isSameDeclaration, type DeclaredPayment } from '../../domain/payment/declared-payment.js';
import type { PaymentRow } from '../core/locks.js';
import type { StoredDeclaration, Tx } from '../db/database.js';
import { LedgerError } from '../ledger.js';
import { rootPaymentOf } from '../core/records.js';

/**
 * Stores a declared payment, unless it is known. A capture is a payment of its own, with its own id in both tables, so its money never
 * counts on its authorization as well, whichever of the two becomes known first.
 */
export async function declarePayment(
  tx: Tx,
  id: string,
  entityId: string,
  { type, money, registrationId }: DeclaredPayment,
): Promise<void> {
  if ((await rootPaymentOf(tx, id)) !== undefined) return;
  const { minor, currency } = money;
  const stored: StoredDeclaration = {
    ...{ type, minor: minor.toString(), currency },
    ...(registrationId === undefined ? {} : { registrationId }),
  };
  const isCaptured = type !== 'preauthorization';
  const inserted = await tx
    .insertInto('payments')
    .values({
      id,
      entity_id: entityId,
      type,
      state: 'succeeded',
      currency,
      authorized_minor: isCaptured ? 0n : minor,
      captured_minor: isCaptured ? minor : 0n,
      registration_id: null,
      declared: JSON.stringify(stored),
      is_confirmed: false,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined || !isCaptured) return;
  const capture = await tx
    .insertInto('captures')
    .values({ id, payment_id: id, amount_minor: minor })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (capture === undefined)
    throw new LedgerError(
      'payment_differs',
      `${id} became known as a capture meanwhile; send the same request again`,
    );
}

/** Throws `LedgerError` `payment_differs` if the declaration differs from the first one. A payment that was never declared accepts any. */
export function checkDeclaration(payment: PaymentRow, declared: DeclaredPayment): void {
  const first = payment.declared;
  if (first === null) return;
  const money = storedMoney(BigInt(first.minor), first.currency);
  const { type, registrationId } = first;
  const before = { type, money, ...(registrationId === undefined ? {} : { registrationId }) };
  if (!isSameDeclaration(before, declared))
    throw new LedgerError(
      'payment_differs',
      `the payment was declared before as ${type} of ${formatAmount(money)} ${money.currency}`,
      { type, amount: formatAmount(money), currency: money.currency },
    );
}
