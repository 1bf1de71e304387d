/** What happened in one run, as Temporal keeps it. */
import type { WorkflowHandle } from '@temporalio/client';

export interface History {
  /** Events. */
  readonly length: number;
  /** Activity types in the order in which they were scheduled. */
  readonly activities: readonly string[];
  /** Those that have answered. */
  readonly completed: readonly string[];
}

export async function historyOf(handle: Pick<WorkflowHandle, 'fetchHistory'>): Promise<History> {
  const events = (await handle.fetchHistory()).events ?? [];
  const scheduled = new Map(
    events.flatMap(({ eventId, activityTaskScheduledEventAttributes }) => {
      const name = activityTaskScheduledEventAttributes?.activityType?.name;
      return name == null ? [] : [[String(eventId), name] as const];
    }),
  );
  return {
    length: events.length,
    activities: [...scheduled.values()],
    completed: events.flatMap(
      ({ activityTaskCompletedEventAttributes }) =>
        scheduled.get(String(activityTaskCompletedEventAttributes?.scheduledEventId)) ?? [],
    ),
  };
}
