/** The search attributes that refunds are started with: a server that does not know one of them refuses to start any. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError, ServiceError, type Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../workflows/refund/contract.js';

type Name = (typeof SEARCH_ATTRIBUTES)[keyof typeof SEARCH_ATTRIBUTES]['name'];

/** `IndexedValueType` of the server's API, and how the command line calls it. */
const KINDS = {
  KEYWORD: { value: 2, name: 'Keyword', sample: "'-'" },
  BOOL: { value: 5, name: 'Bool', sample: 'true' },
} as const;

const ALL = Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => ({ name, kind: KINDS[type] }));

/** gRPC status codes. */
const INVALID_ARGUMENT = 3;
const PERMISSION_DENIED = 7;
/** Milliseconds. What was created is known to every part of the server only when its caches are read anew. */
const KNOWN_WITHIN = 60_000;
const QUERY_AGAIN = 500;

/** The server lacks search attributes, and this process could not create them. */
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
 * The names that the server does not know, or knows with another type. Asked by counting what cannot be there, which needs no more rights than
 * reading; where even that is not allowed, none is called missing.
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

/** Creates what is missing where this process may. Throws {@link SearchAttributesMissing} where it may not, or where it is not enough. */
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
  const refusal = await temporal.connection.operatorService
    .addSearchAttributes({ namespace, searchAttributes })
    .then(
      () => undefined,
      (error: unknown) => reasonOf(error) ?? String(error),
    );
  // Another worker may have created them at the same moment, which the server answers with a refusal too.
  const giveUpAt = performance.now() + (refusal === undefined ? within : Math.min(within, 5_000));
  for (;;) {
    const left = await missingSearchAttributes(temporal);
    if (left.length === 0) return missing;
    if (performance.now() > giveUpAt)
      throw new SearchAttributesMissing(left, namespace, refusal ?? 'they are not there after a minute');
    await sleep(QUERY_AGAIN);
  }
}

const rpcError = (error: unknown): unknown => (error instanceof ServiceError ? error.cause : error);

const hasStatus = (error: unknown, code: number): boolean => {
  const rpc = rpcError(error);
  const got: number | undefined = isGrpcServiceError(rpc) ? rpc.code : undefined;
  return got === code;
};

/** Statuses that say nothing but that there was no answer: cancelled, deadline exceeded, unavailable. */
const NO_ANSWER: readonly number[] = [1, 4, 14];

/** What the server answered in refusal; undefined where it did not answer. */
export function reasonOf(error: unknown): string | undefined {
  const rpc = rpcError(error);
  return isGrpcServiceError(rpc) && !NO_ANSWER.includes(rpc.code) ? rpc.details : undefined;
}
