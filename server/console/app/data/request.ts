/** The one way to the API: same origin, the key as a bearer token, and errors as the problems that the API names. */

/** One thing that is wrong with one field of what was sent. */
export interface FieldProblem {
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

/** A refusal of the API (RFC 9457), or that it could not be reached: then `status` is 0 and `code` is `unreachable`. */
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
  /** Names a command, so that it is carried out once. */
  readonly idempotencyKey?: string;
  /** Sent by POST when it is there. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Answers the body as `T`: the server is of the same release and checks its own answers. Throws `ApiProblem`. */
export async function request<T>(path: string, { key, signal, idempotencyKey, body }: Call): Promise<T> {
  const response = await fetch(path, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
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
  return (await response.json()) as T;
}

/** What a refusal says of itself; a proxy in between may answer with something else than a problem. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const fallback = `The service answered ${response.status}.`;
  const said: unknown = await response.json().catch(() => null);
  if (typeof said !== 'object' || said === null) return new ApiProblem(response.status, 'unknown', fallback);
  const { code, detail, title, problems } = said as Partial<Record<string, unknown>>;
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
