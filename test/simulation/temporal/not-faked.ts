/** Every other name of the SDK: it is there, so that imports resolve, and throws as soon as it is touched. */

function notStoodIn(name: string): unknown {
  const refuse = (): never => {
    throw new Error(`${name} of @temporalio/workflow is not stood in for in the simulation`);
  };
  return new Proxy(() => undefined, { apply: refuse, construct: refuse, get: refuse });
}

export const ActivityCancellationType = notStoodIn('ActivityCancellationType');
export const AsyncLocalStorage = notStoodIn('AsyncLocalStorage');
export const ChildWorkflowCancellationType = notStoodIn('ChildWorkflowCancellationType');
export const proxySinks = notStoodIn('proxySinks');
export const getRandomStream = notStoodIn('getRandomStream');
export const workflowRandom = notStoodIn('workflowRandom');
export const Trigger = notStoodIn('Trigger');
export const createEventGroup = notStoodIn('createEventGroup');
export const metricMeter = notStoodIn('metricMeter');
export const createNexusServiceClient = notStoodIn('createNexusServiceClient');
export const NexusOperationCancellationType = notStoodIn('NexusOperationCancellationType');
export const PayloadConverterError = notStoodIn('PayloadConverterError');
export const NamespaceNotFoundError = notStoodIn('NamespaceNotFoundError');
export const CompleteAsyncError = notStoodIn('CompleteAsyncError');
export const ExternalStorageNotConfiguredError = notStoodIn('ExternalStorageNotConfiguredError');
export const encodeWorkflowIdReusePolicy = notStoodIn('encodeWorkflowIdReusePolicy');
export const decodeWorkflowIdReusePolicy = notStoodIn('decodeWorkflowIdReusePolicy');
export const encodeWorkflowIdConflictPolicy = notStoodIn('encodeWorkflowIdConflictPolicy');
export const decodeWorkflowIdConflictPolicy = notStoodIn('decodeWorkflowIdConflictPolicy');
export const extractWorkflowTypeAndConfig = notStoodIn('extractWorkflowTypeAndConfig');
export const extractWorkflowType = notStoodIn('extractWorkflowType');
export const WorkflowError = notStoodIn('WorkflowError');
export const DeterminismViolationError = notStoodIn('DeterminismViolationError');
export const LocalActivityDoBackoff = notStoodIn('LocalActivityDoBackoff');
export const NotAnActivityMethod = notStoodIn('NotAnActivityMethod');
export const stackTraceQuery = notStoodIn('stackTraceQuery');
export const enhancedStackTraceQuery = notStoodIn('enhancedStackTraceQuery');
export const workflowMetadataQuery = notStoodIn('workflowMetadataQuery');
export const addDefaultWorkflowOptions = notStoodIn('addDefaultWorkflowOptions');
export const scheduleActivity = notStoodIn('scheduleActivity');
export const scheduleLocalActivity = notStoodIn('scheduleLocalActivity');
export const proxyLocalActivities = notStoodIn('proxyLocalActivities');
export const inWorkflowContext = notStoodIn('inWorkflowContext');
export const makeContinueAsNewFunc = notStoodIn('makeContinueAsNewFunc');
export const uuid4 = notStoodIn('uuid4');
export const patched = notStoodIn('patched');
export const deprecatePatch = notStoodIn('deprecatePatch');
export const setDefaultSignalHandler = notStoodIn('setDefaultSignalHandler');
export const setDefaultUpdateHandler = notStoodIn('setDefaultUpdateHandler');
export const setDefaultQueryHandler = notStoodIn('setDefaultQueryHandler');
export const upsertMemo = notStoodIn('upsertMemo');
export const setWorkflowOptions = notStoodIn('setWorkflowOptions');
export const defineWorkflowOptions = notStoodIn('defineWorkflowOptions');
export const getCurrentDetails = notStoodIn('getCurrentDetails');
export const setCurrentDetails = notStoodIn('setCurrentDetails');
