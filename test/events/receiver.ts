/** A receiver that a test controls: it answers with errors, slowly, with redirects or not at all, and records every request. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly id: string;
  readonly at: number;
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** Sets the answers to the next requests, in their order; later requests get 204. */
  answer(...next: readonly ((response: ServerResponse) => void)[]): void;
  of(refundId: string): readonly Received[];
}

export const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(code, headers).end('must not be stored: 4200000000000000');
  };
export const silence = (): void => undefined;
export const hangUp = (response: ServerResponse): void => {
  response.destroy();
};

/** Must be called at the top level of a test file. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const answers: ((response: ServerResponse) => void)[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(parts).toString('utf8'),
        id: String(request.headers['webhook-id']),
        at: Date.now(),
      });
      (answers.shift() ?? status(204))(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hooks`,
    received,
    answer(...next) {
      answers.push(...next);
    },
    of: (refundId) => received.filter(({ body }) => body.includes(refundId)),
  };
}
