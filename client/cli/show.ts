/** The command `show`: one refund with its attempts, cases, decisions and timeline, on one page. */
import { readTimeline } from '../../ledger/views/timeline.js';
import { timelineOf, type TimelineEntry } from '../timeline-view.js';
import { needsOperator } from './decide.js';
import type { ExitCode } from './exit.js';
import { refundText, timelineText } from './render.js';
import { run, type OutputOptions } from './session.js';

export function show(id: string, options: OutputOptions): Promise<ExitCode> {
  return run(options, async ({ client, database, screen, print }) => {
    const refund = await client.getRefund(id);
    const timeline: readonly TimelineEntry[] = timelineOf(
      await readTimeline(database, { refundId: id }),
      refund.currency,
    );
    const next = await client.nextOf(id);
    print(
      { ...refund, next, timeline },
      () => `${refundText(refund, screen, next)}\n\n${timelineText(timeline, screen)}`,
    );
    return needsOperator(refund);
  });
}
