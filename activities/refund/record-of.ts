/** Reads a refund that an operator's command names. */
import { LedgerError } from '../../ledger/ledger.js';
import type { RefundRecord } from '../../ledger/core/refund-record.js';
import type { Dependencies } from '../dependencies.js';

/** Throws `LedgerError` `refund_unknown` if the refund is not in the ledger. */
export async function recordOf({ ledger }: Dependencies, refundId: string): Promise<RefundRecord> {
  const refund = await ledger.findRefund(refundId);
  if (refund === null) throw new LedgerError('refund_unknown', `refund ${refundId} is not in the ledger`);
  return refund;
}
