/** Workflows that use every message of Temporal that carries a payload. They also export the client's workflow with `payBack`. */
import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';

export { parent } from '../workflows/parent.js';

export interface ProbeActivities {
  /** Fails once with heartbeat details, then returns them. */
  beat(text: string): Promise<string>;
  echo(text: string): Promise<string>;
}

const { beat, echo } = proxyActivities<ProbeActivities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: 1 },
});
const local = proxyLocalActivities<ProbeActivities>({ startToCloseTimeout: '1 minute' });

export const noteSignal = defineSignal<[string]>('note');
export const noteUpdate = defineUpdate<string, [string]>('noteUpdate');
export const notesQuery = defineQuery<readonly string[], [string]>('notes');

export async function probe(text: string, run = 1): Promise<readonly string[]> {
  const notes: string[] = [];
  setHandler(noteSignal, (note) => void notes.push(note));
  setHandler(noteUpdate, (note) => {
    if (note.includes('refuse')) throw ApplicationFailure.nonRetryable(`${note} refused`);
    notes.push(note);
    return `${note} taken`;
  });
  setHandler(notesQuery, (more) => [...notes, more]);
  if (run === 1) await continueAsNew<typeof probe>(text, 2);
  setCurrentDetails(`${text} details`);
  upsertMemo({ memo: `${text} memo` });
  notes.push(await beat(text), await echo(text), await local.echo(text));
  const { workflowId } = workflowInfo();
  notes.push(await executeChild(child, { workflowId: `${workflowId}-child`, args: [text, workflowId] }));
  await condition(() => notes.some((note) => note.includes('from the child')));
  try {
    await executeChild(failing, { workflowId: `${workflowId}-failing`, args: [text] });
  } catch (error) {
    notes.push(error instanceof Error && error.cause instanceof Error ? error.cause.message : 'no cause');
  }
  await condition(() => notes.some((note) => note.includes('the end')));
  return notes;
}

export async function child(text: string, parentId: string): Promise<string> {
  await getExternalWorkflowHandle(parentId).signal(noteSignal, `${text} from the child`);
  return `${text} result of the child`;
}

export function failing(text: string): Promise<void> {
  return Promise.reject(ApplicationFailure.nonRetryable(`${text} failed`, 'Probe', [`${text} as a detail`]));
}

/** Runs on a schedule. */
export function tick(text: string): Promise<string> {
  return Promise.resolve(`${text} on time`);
}
