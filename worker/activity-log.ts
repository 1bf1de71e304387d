/** Logs each start, end and failure of an activity, with the ids of refund, payment, attempt and workflow. */
import { ApplicationFailure, CompleteAsyncError } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Log, LogFields } from '../settings/log.js';

export function activityLog(log: Log): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const startedAt = performance.now();
        const common: LogFields = {
          ...refundOf(input.args[0]),
          activity: info.activityType,
          ...(info.workflowExecution === undefined
            ? {}
            : { workflowId: info.workflowExecution.workflowId, runId: info.workflowExecution.runId }),
          tries: info.attempt,
        };
        const durationMs = (): number => Math.round(performance.now() - startedAt);
        log.info('activity.started', common);
        try {
          const result: unknown = await next(input);
          log.info('activity.finished', { ...common, ...outcomeOf(result), durationMs: durationMs() });
          return result;
        } catch (error) {
          if (error instanceof CompleteAsyncError) throw error;
          const code = error instanceof ApplicationFailure && error.type != null ? { code: error.type } : {};
          log.warn('activity.failed', { ...common, ...code, durationMs: durationMs() }, error);
          throw error;
        }
      },
    },
  });
}

/** The first argument of an activity is a refund id or an object with one. An order that is being accepted has none yet. */
function refundOf(argument: unknown): Pick<LogFields, 'refundId'> {
  if (typeof argument === 'string') return { refundId: argument };
  const refundId = textIn(argument, 'refundId');
  return refundId === undefined ? {} : { refundId };
}

/** Returns ids and state from an activity's result, which is a snapshot, contains one, or is the input of an accepted refund. */
function outcomeOf(result: unknown): LogFields {
  const snapshot = fieldOf(result, 'snapshot') ?? fieldOf(result, 'input') ?? result;
  const refundId = textIn(snapshot, 'refundId');
  const paymentId = textIn(result, 'paymentId');
  const attemptId = textIn(fieldOf(snapshot, 'attempt'), 'attemptId');
  const state = textIn(snapshot, 'state');
  return {
    ...(refundId === undefined ? {} : { refundId }),
    ...(paymentId === undefined ? {} : { paymentId }),
    ...(attemptId === undefined ? {} : { attemptId }),
    ...(state === undefined ? {} : { state }),
  };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}

function textIn(value: unknown, name: string): string | undefined {
  const text = fieldOf(value, name);
  return typeof text === 'string' ? text : undefined;
}
