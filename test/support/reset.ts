/** Resets a workflow as `temporal workflow reset --type FirstWorkflowTask` does. */
import type { Client, WorkflowHandle } from '@temporalio/client';

/** Resets the run to before its first step. Signals and updates since then are applied again to the new run. */
export async function resetToTheStart(
  temporal: Client,
  run: Pick<WorkflowHandle, 'describe' | 'fetchHistory'>,
): Promise<void> {
  const events = (await run.fetchHistory()).events ?? [];
  const first = events.find(({ workflowTaskCompletedEventAttributes: done }) => done != null)?.eventId;
  if (first == null) throw new Error('no workflow task is over yet');
  const { raw } = await run.describe();
  await temporal.workflowService.resetWorkflowExecution({
    namespace: temporal.options.namespace,
    workflowExecution: raw.workflowExecutionInfo?.execution ?? null,
    reason: 'a test',
    workflowTaskFinishEventId: first,
    requestId: crypto.randomUUID(),
  });
}
