/** An operator who has looked: decides about the instruction that waits now. */
import type { ApprovalWord } from '../../client/decisions.js';
import type { OperatorNote } from '../../domain/refund/people.js';
import type { Refund } from '../../client/view.js';

/** Where nothing waits, an instruction that nobody was shown. */
export async function seen(
  client: { readonly getRefund: (id: string) => Promise<Refund> },
  id: string,
  word: OperatorNote,
): Promise<ApprovalWord> {
  const { approval, proposal } = await client.getRefund(id);
  return { ...word, instruction: proposal?.instruction ?? approval?.instruction ?? '0'.repeat(32) };
}
