/** `show`: one refund with everything that is on record of it, on one page. */
import { storyOf } from '../../ledger/views/story.js';
import { timelineOf, type TimelineEntry } from '../story-view.js';
import { needsPerson } from './decide.js';
import type { ExitCode } from './exit.js';
import { nextText, refundText, timelineText } from './render.js';
import { run } from './session.js';

export function show(id: string, { json }: { readonly json?: true | undefined }): Promise<ExitCode> {
  return run(json === true, async ({ client, database, print }) => {
    const refund = await client.getRefund(id);
    const timeline: readonly TimelineEntry[] = timelineOf(
      await storyOf(database, { refundId: id }),
      refund.currency,
    );
    const next = await client.nextOf(id);
    print(
      { ...refund, next, timeline },
      () => `${refundText(refund)}\n${nextText(next)}\n${timelineText(timeline)}`,
    );
    return needsPerson(refund);
  });
}
