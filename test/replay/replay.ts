/** Replays recorded histories against the code of this repository, as a worker does when it takes a workflow over. */
import { readFile } from 'node:fs/promises';
import type { DataConverter } from '@temporalio/common';
import { Worker, type WorkflowBundle } from '@temporalio/worker';

/** Replays one history, the JSON of `temporal workflow show -o json`. Throws if the code would act differently from the history. */
export async function replay(
  workflowBundle: WorkflowBundle,
  history: unknown,
  workflowId?: string,
  dataConverter: DataConverter = {},
): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle, dataConverter }, history, workflowId);
}

/**
 * Replays many histories on one worker: starting one for each takes most of the time. `histories`: by workflow id.
 * Returns the error of each history, or undefined if the code acts as the history records.
 */
export async function replayAll(
  workflowBundle: WorkflowBundle,
  histories: Readonly<Record<string, unknown>>,
  dataConverter: DataConverter = {},
): Promise<ReadonlyMap<string, Error | undefined>> {
  const all = Object.entries(histories).map(([workflowId, history]) => ({ workflowId, history }));
  const results = new Map<string, Error | undefined>();
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle, dataConverter }, all))
    results.set(workflowId, error);
  return results;
}

/** Returns the content of a history file. */
export async function readHistory(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}
