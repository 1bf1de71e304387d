/** All other names of the SDK. They exist so that imports resolve, and throw as soon as they are used. */

function notFaked(name: string): unknown {
  const refuse = (): never => {
    throw new Error(`${name} of @temporalio/workflow has no fake in the simulation`);
  };
  return new Proxy(() => undefined, { apply: refuse, construct: refuse, get: refuse });
}

export const ActivityCancellationType = notFaked('ActivityCancellationType');
export const AsyncLocalStorage = notFaked('AsyncLocalStorage');
export const ChildWorkflowCancellationType = notFaked('ChildWorkflowCancellationType');
export const proxySinks = notFaked('proxySinks');
export const getRandomStream = notFaked('getRandomStream');
export const workflowRandom = notFaked('workflowRandom');
export const Trigger = notFaked('Trigger');
export const createEventGroup = notFaked('createEventGroup');
export const metricMeter = notFaked('metricMeter');
export const createNexusServiceClient = notFaked('createNexusServiceClient');
export const NexusOperationCancellationType = notFaked('NexusOperationCancellationType');
export const PayloadConverterError = notFaked('PayloadConverterError');
export const NamespaceNotFoundError = notFaked('NamespaceNotFoundError');
export const CompleteAsyncError = notFaked('CompleteAsyncError');
export const ExternalStorageNotConfiguredError = notFaked('ExternalStorageNotConfiguredError');
export const encodeWorkflowIdReusePolicy = notFaked('encodeWorkflowIdReusePolicy');
export const decodeWorkflowIdReusePolicy = notFaked('decodeWorkflowIdReusePolicy');
export const encodeWorkflowIdConflictPolicy = notFaked('encodeWorkflowIdConflictPolicy');
export const decodeWorkflowIdConflictPolicy = notFaked('decodeWorkflowIdConflictPolicy');
export const extractWorkflowTypeAndConfig = notFaked('extractWorkflowTypeAndConfig');
export const extractWorkflowType = notFaked('extractWorkflowType');
export const WorkflowError = notFaked('WorkflowError');
export const DeterminismViolationError = notFaked('DeterminismViolationError');
export const LocalActivityDoBackoff = notFaked('LocalActivityDoBackoff');
export const NotAnActivityMethod = notFaked('NotAnActivityMethod');
export const stackTraceQuery = notFaked('stackTraceQuery');
export const enhancedStackTraceQuery = notFaked('enhancedStackTraceQuery');
export const workflowMetadataQuery = notFaked('workflowMetadataQuery');
export const addDefaultWorkflowOptions = notFaked('addDefaultWorkflowOptions');
export const scheduleActivity = notFaked('scheduleActivity');
export const scheduleLocalActivity = notFaked('scheduleLocalActivity');
export const proxyLocalActivities = notFaked('proxyLocalActivities');
export const inWorkflowContext = notFaked('inWorkflowContext');
export const makeContinueAsNewFunc = notFaked('makeContinueAsNewFunc');
export const uuid4 = notFaked('uuid4');
export const patched = notFaked('patched');
export const deprecatePatch = notFaked('deprecatePatch');
export const setDefaultSignalHandler = notFaked('setDefaultSignalHandler');
export const setDefaultUpdateHandler = notFaked('setDefaultUpdateHandler');
export const setDefaultQueryHandler = notFaked('setDefaultQueryHandler');
export const upsertMemo = notFaked('upsertMemo');
export const setWorkflowOptions = notFaked('setWorkflowOptions');
export const defineWorkflowOptions = notFaked('defineWorkflowOptions');
export const getCurrentDetails = notFaked('getCurrentDetails');
export const setCurrentDetails = notFaked('setCurrentDetails');
