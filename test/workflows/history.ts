/** What happened in one run, as Temporal keeps it. */
import type { WorkflowHandle } from '@temporalio/client';

export interface History {
  /** Events. */
  readonly length: number;
  /** Activity types in the order in which they were scheduled. */
  readonly activities: readonly string[];
}

export async function historyOf(handle: Pick<WorkflowHandle, 'fetchHistory'>): Promise<History> {
  const events = (await handle.fetchHistory()).events ?? [];
  return {
    length: events.length,
    activities: events.flatMap(({ activityTaskScheduledEventAttributes }) => {
      const name = activityTaskScheduledEventAttributes?.activityType?.name;
      return name == null ? [] : [name];
    }),
  };
}
