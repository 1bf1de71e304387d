/** Sends one POST to the client's address: with a time limit, without following redirects, and keeping only the status of the answer. */
import { Agent, request } from 'undici';

export type Posted =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** Milliseconds from the answer's `Retry-After`; null without one. */
      readonly retryAfter: number | null;
    }
  /** `error`: a stable code, such as `ECONNREFUSED` or `timeout`. */
  | { readonly kind: 'no_answer'; readonly error: string };

export interface Poster {
  /** Never rejects. */
  post(headers: Readonly<Record<string, string>>, body: string): Promise<Posted>;
  close(): Promise<void>;
}

/** Bytes of an answer's body that are read and dropped so that the connection can be reused; a longer body closes it. */
const BODY_LIMIT = 64 * 1_024;

/** Opens `connections` to `url` at most. `within`: milliseconds from the start of a POST to the last byte of its answer. */
export function createPoster(url: string, within: number, connections: number): Poster {
  const agent = new Agent({
    connections,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: within, minVersion: 'TLSv1.2' },
  });
  return {
    async post(headers, body) {
      try {
        const answer = await request(url, {
          dispatcher: agent,
          method: 'POST',
          headers: { ...headers },
          body,
          signal: AbortSignal.timeout(within),
        });
        await answer.body.dump({ limit: BODY_LIMIT }).catch(() => undefined);
        return {
          kind: 'answered',
          status: answer.statusCode,
          retryAfter: secondsIn(answer.headers['retry-after']),
        };
      } catch (error) {
        return { kind: 'no_answer', error: codeOf(error) };
      }
    },
    close: () => agent.close(),
  };
}

function secondsIn(header: string | string[] | undefined): number | null {
  return typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : null;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'timeout';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return /^[A-Z][A-Z0-9_]{0,60}$/.test(code) ? code : 'failed';
}
