/** `show`: one refund with everything that is on record of it, on one page. */
import { readTimeline } from '../../ledger/views/timeline.js';
import { timelineOf, type TimelineEntry } from '../story-view.js';
import { needsOperator } from './decide.js';
import type { ExitCode } from './exit.js';
import { nextText, refundText, timelineText } from './render.js';
import { run } from './session.js';

export function show(id: string, { json }: { readonly json?: true | undefined }): Promise<ExitCode> {
  return run(json === true, async ({ client, database, print }) => {
    const refund = await client.getRefund(id);
    const timeline: readonly TimelineEntry[] = timelineOf(
      await readTimeline(database, { refundId: id }),
      refund.currency,
    );
    const next = await client.nextOf(id);
    print(
      { ...refund, next, timeline },
      () => `${refundText(refund)}\n${nextText(next)}\n${timelineText(timeline)}`,
    );
    return needsOperator(refund);
  });
}
