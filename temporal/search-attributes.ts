/** Checks and creates the search attributes that refunds are started with. A Temporal server that lacks one of them starts no refund. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError, ServiceError, type Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../workflows/refund/search-attributes.js';

type Name = (typeof SEARCH_ATTRIBUTES)[keyof typeof SEARCH_ATTRIBUTES]['name'];

/** `IndexedValueType` of the server's API, its name on Temporal's command line, and a value for a query. */
const KINDS = {
  KEYWORD: { value: 2, name: 'Keyword', sample: "'-'" },
  BOOL: { value: 5, name: 'Bool', sample: 'true' },
} as const;

const ALL = Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => ({ name, kind: KINDS[type] }));

/** gRPC status codes. */
const INVALID_ARGUMENT = 3;
const PERMISSION_DENIED = 7;
/** Milliseconds until all parts of the server know a new search attribute: their caches are reloaded in intervals. */
const KNOWN_WITHIN = 60_000;
/** Milliseconds between two checks. */
const CHECK_EVERY = 500;

/** Thrown when the server lacks search attributes and this process could not create them. The message has the commands that do. */
export class SearchAttributesMissing extends Error {
  override readonly name = 'SearchAttributesMissing';

  constructor(names: readonly string[], namespace: string, why: string) {
    const commands = ALL.filter(({ name }) => names.includes(name)).map(
      ({ name, kind }) =>
        `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${kind.name}`,
    );
    super(
      `the Temporal namespace ${namespace} lacks the search attributes ${names.join(', ')}, without which no refund can be started, and they could not be created here (${why}). Create them: ${commands.join('; ')}`,
    );
  }
}

/**
 * Returns the search attributes that the server does not know, or knows with another type. Checks with a count that matches nothing, which needs
 * the right to read only. Without that right an attribute counts as known.
 */
export async function missingSearchAttributes(temporal: Client): Promise<readonly Name[]> {
  const { namespace } = temporal.options;
  const known = await Promise.all(
    ALL.map(async ({ name, kind }) => {
      const query = `${name} = ${kind.sample} AND WorkflowId = '-'`;
      try {
        await temporal.workflowService.countWorkflowExecutions({ namespace, query });
        return true;
      } catch (error) {
        if (hasStatus(error, INVALID_ARGUMENT)) return false;
        if (hasStatus(error, PERMISSION_DENIED)) return true;
        throw error;
      }
    }),
  );
  return ALL.filter((_, index) => known[index] === false).map(({ name }) => name);
}

/** Creates missing search attributes and returns their names. Throws {@link SearchAttributesMissing} if this process may not, or if they stay missing. */
export async function provideSearchAttributes(
  temporal: Client,
  within: number = KNOWN_WITHIN,
): Promise<readonly Name[]> {
  const { namespace } = temporal.options;
  const missing = await missingSearchAttributes(temporal);
  if (missing.length === 0) return [];
  const searchAttributes = Object.fromEntries(
    ALL.filter(({ name }) => missing.includes(name)).map(({ name, kind }) => [name, kind.value]),
  );
  const error = await temporal.connection.operatorService
    .addSearchAttributes({ namespace, searchAttributes })
    .then(
      () => undefined,
      (error: unknown) => reasonOf(error) ?? String(error),
    );
  // The server also returns an error if another worker creates them at the same moment.
  const giveUpAt = performance.now() + (error === undefined ? within : Math.min(within, 5_000));
  for (;;) {
    const left = await missingSearchAttributes(temporal);
    if (left.length === 0) return missing;
    if (performance.now() > giveUpAt)
      throw new SearchAttributesMissing(left, namespace, error ?? 'they are not there after a minute');
    await sleep(CHECK_EVERY);
  }
}

const rpcError = (error: unknown): unknown => (error instanceof ServiceError ? error.cause : error);

const hasStatus = (error: unknown, code: number): boolean => {
  const rpc = rpcError(error);
  const got: number | undefined = isGrpcServiceError(rpc) ? rpc.code : undefined;
  return got === code;
};

/** gRPC status codes of calls without an answer: canceled, deadline exceeded, unavailable. */
const NO_ANSWER: readonly number[] = [1, 4, 14];

/** Returns the server's reason for an error; undefined if the server did not answer. */
export function reasonOf(error: unknown): string | undefined {
  const rpc = rpcError(error);
  return isGrpcServiceError(rpc) && !NO_ANSWER.includes(rpc.code) ? rpc.details : undefined;
}
