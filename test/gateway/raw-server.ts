/** A TCP server that sends exact bytes, for misbehavior of any kind, and records every request. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** The form fields, or those of the query string of a GET. */
  readonly fields: readonly (readonly [string, string])[];
}

export type Reply = (socket: Socket, request: SeenRequest, nth: number) => void;

export interface RawServer {
  readonly url: string;
  readonly host: string;
  readonly requests: SeenRequest[];
  /** Number of connections so far, and every byte that arrived over them. */
  readonly connections: () => number;
  readonly bytes: () => number;
  /** Resolves when that many requests have been read. */
  untilRequests(count: number): Promise<void>;
  reply: Reply;
  onConnection: (socket: Socket) => void;
  close(): Promise<void>;
}

export async function startRawServer(reply: Reply = () => undefined): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const requests: SeenRequest[] = [];
  const waiting: { count: number; done: () => void }[] = [];
  let connections = 0;
  let bytes = 0;
  const server: Server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    raw.onConnection(socket);
    let unread = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      unread = Buffer.concat([unread, chunk]);
      for (;;) {
        const taken = takeRequest(unread);
        if (taken === undefined) return;
        unread = unread.subarray(taken.length);
        requests.push(taken.request);
        raw.reply(socket, taken.request, requests.length);
        for (const waiter of waiting) if (requests.length >= waiter.count) waiter.done();
      }
    });
  });
  const port = await listen(server);
  const raw: RawServer = {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    bytes: () => bytes,
    untilRequests: (count) =>
      new Promise((done) => {
        if (requests.length >= count) done();
        else waiting.push({ count, done });
      }),
    reply,
    onConnection: () => undefined,
    close: () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => done());
      }),
  };
  return raw;
}

export function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address: string | AddressInfo | null = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      resolve(address.port);
    });
  });
}

/** A complete, valid answer that keeps the connection open. */
export function answer(status: number, body: string, headers = 'content-type: application/json'): string {
  return `HTTP/1.1 ${status} X\r\n${headers}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function takeRequest(bytes: Buffer): { request: SeenRequest; length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const length = headEnd + 4 + Number(headers.get('content-length') ?? 0);
  if (bytes.length < length) return undefined;
  const [method = '', path = ''] = first.split(' ');
  const body = bytes.subarray(headEnd + 4, length).toString('utf8');
  const encoded = method === 'GET' ? (path.split('?')[1] ?? '') : body;
  return { request: { method, path, headers, body, fields: [...new URLSearchParams(encoded)] }, length };
}
