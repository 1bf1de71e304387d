/** Reads the events of one run from Temporal's history. */
import type { WorkflowHandle } from '@temporalio/client';

export interface History {
  /** Number of events. */
  readonly length: number;
  /** Activity types in the order in which they were scheduled. */
  readonly activities: readonly string[];
  /** Activity types of the activities that have completed. */
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
