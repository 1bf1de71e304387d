/** Compares the gateway's books with the ledger: each transaction that paid a customer must be in both, with the same amount. */
import { storedMoney, formatAmount, parseGatewayAmount } from '../../domain/money/money.js';
import { PAYMENT_TYPES } from '../../gateway/oppwa/transaction.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { RefundRecord } from '../../ledger/core/refund-record.js';
import type { SandboxTransaction } from '../control-client.js';

export interface Disagreement {
  readonly reference: string;
  readonly what: string;
}

const OURS = new Set<string>(Object.values(PAYMENT_TYPES));

/** Compares every reference that either side has. Skips transactions without our reference, such as a portal refund: they are no attempts. */
export function compareBooks(
  refunds: readonly RefundRecord[],
  transactions: readonly SandboxTransaction[],
): readonly Disagreement[] {
  const paid = new Map<string, SandboxTransaction[]>();
  for (const transaction of transactions) {
    const reference = transaction.merchantTransactionId;
    if (reference === null || !OURS.has(transaction.type) || transaction.state !== 'succeeded') continue;
    paid.set(reference, [...(paid.get(reference) ?? []), transaction]);
  }
  const disagreements: Disagreement[] = [];
  for (const refund of refunds)
    for (const attempt of refund.attempts) {
      const executed = paid.get(attempt.reference) ?? [];
      paid.delete(attempt.reference);
      const report = (what: string): void => {
        disagreements.push({ reference: attempt.reference, what });
      };
      const amount = formatAmount(storedMoney(attempt.amountMinor, refund.currency));
      if (executed.length > 1) report(`executed ${executed.length} times`);
      const [one] = executed;
      if (one === undefined) {
        if (attempt.state === 'succeeded')
          report(`the ledger says ${amount} was paid, the gateway has nothing`);
      } else if (attempt.state !== 'succeeded')
        report(`the gateway paid ${one.amount}, the ledger says ${attempt.state}`);
      else if (minorOf(one) !== attempt.amountMinor)
        report(`the gateway paid ${one.amount}, the ledger says ${amount}`);
    }
  for (const [reference, executed] of paid)
    disagreements.push({
      reference,
      what: `the gateway paid ${executed[0]?.amount ?? '?'}, the ledger has no such attempt`,
    });
  return disagreements;
}

/** Reads all refunds of the ledger, page by page. */
export async function allRefunds(ledger: Ledger): Promise<readonly RefundRecord[]> {
  const all: RefundRecord[] = [];
  for (;;) {
    const last = all.at(-1)?.id;
    const page = await ledger.listRefunds({ limit: 500, ...(last === undefined ? {} : { before: last }) });
    if (page.length === 0) return all;
    all.push(...page);
  }
}

function minorOf(transaction: SandboxTransaction): bigint | undefined {
  const read = parseGatewayAmount(transaction.amount, transaction.currency);
  return read.ok ? read.money.minor : undefined;
}
