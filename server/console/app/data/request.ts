/** HTTP client of the console: same origin, the key as a bearer token, errors as `ApiProblem`. */

/** A problem with one field of the request. */
export interface FieldProblem {
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

/** A problem response of the API (RFC 9457). If the API could not be reached, `status` is 0 and `code` is `unreachable`. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: string;
  readonly problems: readonly FieldProblem[];

  constructor(status: number, code: string, detail: string, problems: readonly FieldProblem[] = []) {
    super(detail);
    this.status = status;
    this.code = code;
    this.problems = problems;
  }
}

export interface Call {
  readonly key: string;
  readonly signal?: AbortSignal | undefined;
  /** Id of a command, so that it is executed once. */
  readonly idempotencyKey?: string;
  /** Body of a POST. Absent: the request is a GET, unless `method` says otherwise. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly method?: 'DELETE';
}

/** Sends a request and returns the body as `T`. The server is of the same release and validates its responses. Throws `ApiProblem`. */
export async function request<T>(
  path: string,
  { key, signal, idempotencyKey, body, method }: Call,
): Promise<T> {
  const response = await fetch(path, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    ...(method === undefined ? {} : { method }),
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    },
    ...(signal === undefined ? {} : { signal }),
    cache: 'no-store',
    redirect: 'error',
    credentials: 'omit',
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    throw new ApiProblem(0, 'unreachable', 'The service cannot be reached. Is it running?');
  });
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** Reads the problem of a failed response. A proxy in between may answer without a problem body. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const fallback = `The service returned status ${response.status}.`;
  const parsed: unknown = await response.json().catch(() => null);
  if (typeof parsed !== 'object' || parsed === null)
    return new ApiProblem(response.status, 'unknown', fallback);
  const { code, detail, title, problems } = parsed as Partial<Record<string, unknown>>;
  return new ApiProblem(
    response.status,
    typeof code === 'string' ? code : 'unknown',
    typeof detail === 'string' ? detail : typeof title === 'string' ? title : fallback,
    Array.isArray(problems) ? problems.filter(isFieldProblem) : [],
  );
}

function isFieldProblem(value: unknown): value is FieldProblem {
  return (
    typeof value === 'object' &&
    value !== null &&
    'field' in value &&
    typeof value.field === 'string' &&
    'message' in value &&
    typeof value.message === 'string'
  );
}
