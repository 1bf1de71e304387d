/** Runs a recorded history against the code of today, as a worker does that takes the workflow over. */
import { readFile } from 'node:fs/promises';
import { Worker, type WorkflowBundle } from '@temporalio/worker';

/** `history`: the JSON of `temporal workflow show -o json`. Throws where the code would do something else than was done. */
export async function replay(
  workflowBundle: WorkflowBundle,
  history: unknown,
  workflowId?: string,
): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle }, history, workflowId);
}

export async function readHistory(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}
