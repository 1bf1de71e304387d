/** The workflow that a payload belongs to. Part of what the codec authenticates, so a payload that was copied to another workflow is refused. */
import type { SerializationContext } from '@temporalio/common';
import { CodecError } from './errors.js';

export interface Binding {
  readonly namespace: string;
  /**
   * Undefined: the payload is bound to its namespace only. The SDK gives no workflow for the memo of a schedule, for the failure of a workflow
   * task, and for an activity without a workflow. No workflow reads any of them.
   */
  readonly workflowId: string | undefined;
}

/** The time that a schedule appends to the workflow id of each run: `-2026-11-30T08:06:15Z`. */
const SCHEDULED_AT = /-\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/u;

/**
 * Returns the id that the payloads of a workflow are bound to: the workflow id, without the time of a scheduled run. The input of a schedule is
 * encoded once for all runs, and the result of a run is given to the next one. All runs of one schedule therefore share an id.
 */
export const boundId = (workflowId: string): string => workflowId.replace(SCHEDULED_AT, '');

/** Returns the binding for new payloads. `namespace` is used where the SDK gives no context. */
export const bindingOf = (context: SerializationContext | undefined, namespace: string): Binding => ({
  namespace: context?.namespace ?? namespace,
  workflowId: context?.workflowId === undefined ? undefined : boundId(context.workflowId),
});

/**
 * Throws if a payload of `stated` is read where one of `expected` belongs. An expected namespace or workflow id that is undefined is not checked:
 * then only the payload itself tells where it belongs.
 */
export function checkBinding(stated: Binding, expected: Partial<Binding>): void {
  if (expected.namespace !== undefined && stated.namespace !== expected.namespace)
    throw new CodecError(
      'other_namespace',
      `a payload of the namespace ${nameOf(stated.namespace)} was found in the namespace ${nameOf(expected.namespace)}`,
    );
  if (expected.workflowId !== undefined && stated.workflowId !== expected.workflowId)
    throw new CodecError(
      'other_workflow',
      stated.workflowId === undefined
        ? `a payload that belongs to no workflow was found in the workflow ${nameOf(expected.workflowId)}`
        : `a payload of the workflow ${nameOf(stated.workflowId)} was found in the workflow ${nameOf(expected.workflowId)}`,
    );
}

/** Returns an id for a message. Metadata is not authentic where it is shown, so other characters are hidden. */
export const nameOf = (id: string): string => (/^[\w.:/@-]{1,200}$/u.test(id) ? id : '(id hidden)');
