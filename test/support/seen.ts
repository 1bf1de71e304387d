/** Builds the note of an operator who has read the pending instruction and decides about it. */
import type { ApprovalNote } from '../../client/operator-commands.js';
import type { OperatorNote } from '../../domain/refund/operator-note.js';
import type { Refund } from '../../client/view.js';

/** Adds the pending instruction to `note`, or an instruction that does not exist if none is pending. */
export async function seen(
  client: { readonly getRefund: (id: string) => Promise<Refund> },
  id: string,
  note: OperatorNote,
): Promise<ApprovalNote> {
  const { approval, proposal } = await client.getRefund(id);
  return { ...note, instruction: proposal?.instruction ?? approval?.instruction ?? '0'.repeat(32) };
}
