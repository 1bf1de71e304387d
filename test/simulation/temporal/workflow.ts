/** Replaces `@temporalio/workflow` in the simulation: the functions that the workflows here use, on virtual time. All others throw. */
import {
  ActivityFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  NexusOperationFailure,
} from '@temporalio/common';
import { ContinueAsNew, Execution, type ActivityOptions } from './execution.js';
import { CancellationScope } from './scope.js';

export {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  defaultPayloadConverter,
  rootCause,
  ServerFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
  IllegalStateError,
  ValueError,
  WorkflowNotFoundError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '@temporalio/common';
export { CancellationScope, ContinueAsNew };
export * from './not-faked.js';

/** Same values as in the SDK; the fake server abandons every child. */
export const ParentClosePolicy = {
  TERMINATE: 'TERMINATE',
  ABANDON: 'ABANDON',
  REQUEST_CANCEL: 'REQUEST_CANCEL',
} as const;

export function isCancellation(error: unknown): boolean {
  return (
    error instanceof CancelledFailure ||
    ((error instanceof ActivityFailure ||
      error instanceof ChildWorkflowFailure ||
      error instanceof NexusOperationFailure) &&
      error.cause instanceof CancelledFailure)
  );
}

/** Discards messages: the simulation has no log. */
export const log = { warn: (): void => undefined };

type Activity = (...args: readonly unknown[]) => Promise<unknown>;

export function proxyActivities(options: ActivityOptions): Record<string, Activity> {
  return new Proxy<Record<string, Activity>>(
    {},
    {
      get:
        (_, name) =>
        (...args: readonly unknown[]) =>
          Execution.current(`activity ${String(name)}`).ask(
            { kind: 'activity', name: String(name), args, options },
            true,
          ),
    },
  );
}

export async function sleep(ms: number): Promise<void> {
  await Execution.current('sleep').startTimer(ms).fired;
}

/** Waits until `holds` is true. With a time: returns false if the time passed first. */
export async function condition(holds: () => boolean, ms?: number): Promise<boolean | undefined> {
  const execution = Execution.current('condition');
  if (ms === undefined) {
    // The SDK, too, asks at once before it waits.
    if (!holds()) await execution.waitFor(holds).met;
    return undefined;
  }
  const timer = execution.startTimer(ms);
  const wait = execution.waitFor(holds);
  try {
    return await Promise.race([timer.fired.then(() => false), wait.met.then(() => true)]);
  } finally {
    timer.cancel();
    wait.cancel();
  }
}

interface Definition {
  readonly type: 'signal' | 'update' | 'query';
  readonly name: string;
}

export const defineSignal = (name: string): Definition => ({ type: 'signal', name });
export const defineUpdate = (name: string): Definition => ({ type: 'update', name });
export const defineQuery = (name: string): Definition => ({ type: 'query', name });

type Handle = (...args: readonly unknown[]) => unknown;

export function setHandler(
  definition: Definition,
  run: Handle,
  options?: { readonly validator?: Handle },
): void {
  const execution = Execution.current('setHandler');
  execution.handlers.set(definition.name, { run, validate: options?.validator });
  execution.deliverBuffered();
}

export const allHandlersFinished = (): boolean => !Execution.current('allHandlersFinished').isBusy;

export function upsertSearchAttributes(pairs: readonly unknown[]): void {
  Execution.current('upsertSearchAttributes').upsert(pairs);
}

/** The fields of `WorkflowInfo` that the workflows here read; all others are undefined. */
export function workflowInfo(): {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
  readonly continueAsNewSuggested: boolean;
} {
  const { workflowId, runId, type, isLong } = Execution.current('workflowInfo');
  return { workflowId, runId: String(runId), workflowType: type, continueAsNewSuggested: isLong };
}

/** Returns the update only until its handler first waits. The SDK returns it later as well, through Node's async context. */
export function currentUpdateInfo(): { readonly id: string; readonly name: string } | undefined {
  return Execution.current('currentUpdateInfo').update;
}

export async function continueAsNew(...args: readonly unknown[]): Promise<never> {
  Execution.current('continueAsNew');
  throw new ContinueAsNew(args);
}

interface ChildOptions {
  readonly args?: readonly unknown[];
  readonly workflowId: string;
}

/** Waits until the child has started. The child's result is awaited in the scope that started it, as in the SDK. */
export async function startChild(
  type: string,
  { args = [], workflowId }: ChildOptions,
): Promise<{ readonly workflowId: string; readonly result: () => Promise<unknown> }> {
  const execution = Execution.current('startChild');
  const scope = CancellationScope.current();
  await execution.ask({ kind: 'child', type, args, workflowId }, true);
  const result = execution.ask({ kind: 'child_result', workflowId }, false);
  result.catch(() => undefined);
  // A canceled scope requests cancellation of the child; the child's own end is the result.
  if (scope.cancellable)
    scope.cancelRequested.catch(() => {
      void execution.ask({ kind: 'cancel_external', workflowId }, false).catch(() => undefined);
    });
  return { workflowId, result: () => result };
}

export async function executeChild(type: string, options: ChildOptions): Promise<unknown> {
  return (await startChild(type, options)).result();
}

export function getExternalWorkflowHandle(workflowId: string): {
  readonly cancel: () => Promise<void>;
  readonly signal: (signal: { readonly name: string }, ...args: readonly unknown[]) => Promise<void>;
} {
  return {
    signal: async ({ name }, ...args) => {
      await Execution.current('signal to another workflow').ask(
        { kind: 'signal_external', workflowId, name, args },
        false,
      );
    },
    cancel: async () => {
      await Execution.current('cancel of another workflow').ask(
        { kind: 'cancel_external', workflowId },
        false,
      );
    },
  };
}
