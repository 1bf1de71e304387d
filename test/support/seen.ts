/** An operator who has looked: decides about the instruction that waits now. */
import type { ApprovalNote } from '../../client/operator-commands.js';
import type { OperatorNote } from '../../domain/refund/operator-note.js';
import type { Refund } from '../../client/view.js';

/** Where nothing waits, an instruction that nobody was shown. */
export async function seen(
  client: { readonly getRefund: (id: string) => Promise<Refund> },
  id: string,
  note: OperatorNote,
): Promise<ApprovalNote> {
  const { approval, proposal } = await client.getRefund(id);
  return { ...note, instruction: proposal?.instruction ?? approval?.instruction ?? '0'.repeat(32) };
}
