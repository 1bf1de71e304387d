/** HTTP server of the gateway simulator: reads requests, writes, delays or drops answers, and sends webhooks. The rules are in rules.ts. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeBody } from './content-coding.js';
import { amountsAsText, control } from './control.js';
import { randomIds, type IdSource } from './ids.js';
import { openJournal } from './journal.js';
import { RequestLog, type LoggedRequest } from './request-log.js';
import { route } from './routes.js';
import { SimulatedGateway } from './simulated-gateway.js';
import type { Entity, GatewaySettings } from './settings.js';
import type { Delivery } from './types.js';
import { createWebhookSender, type WebhookSenderOptions } from './webhooks.js';

export interface GatewayServerOptions {
  /** At least one. */
  readonly entities: readonly Entity[];
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  readonly settings?: Partial<GatewaySettings>;
  /** The file that stores the books across restarts. Without it they are in memory only. */
  readonly journalFile?: string;
  /** Without it no webhooks are sent. The keys are those of the entities. */
  readonly webhooks?: Omit<WebhookSenderOptions, 'keys'>;
  readonly ids?: IdSource;
  readonly clock?: () => number;
}

export interface GatewayServer {
  /** Without a trailing slash. */
  readonly url: string;
  readonly engine: SimulatedGateway;
  requests(): readonly LoggedRequest[];
  /** Returns the number of notifications that are being sent or wait for another try. */
  undelivered(): number;
  /** Closes all connections, also those with an unanswered request. */
  close(): Promise<void>;
}

const MAX_BODY = 256 * 1024;
const MAX_TIMER = 2 ** 31 - 1;

export async function startGatewayServer(options: GatewayServerOptions): Promise<GatewayServer> {
  const clock = options.clock ?? Date.now;
  const journal = options.journalFile === undefined ? null : openJournal(options.journalFile);
  const engine = new SimulatedGateway({
    entities: options.entities,
    clock,
    ids: options.ids ?? randomIds(),
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    ...(journal === null ? {} : { history: journal.history, journal: journal.append }),
  });
  const log = new RequestLog();
  const keys = new Map(
    options.entities.flatMap(({ id, webhookKey }) => (webhookKey === undefined ? [] : [[id, webhookKey]])),
  );
  const sender = options.webhooks === undefined ? null : createWebhookSender({ ...options.webhooks, keys });

  let wakeUp: NodeJS.Timeout | undefined;
  /** Sends the notifications that are due and sets a timer for the next ones. Without a sender they are discarded, so that they do not pile up. */
  function pump(): void {
    clearTimeout(wakeUp);
    for (const notification of engine.due()) sender?.send(notification);
    const next = engine.nextAt();
    if (next === null) return;
    wakeUp = setTimeout(pump, Math.min(Math.max(next - clock(), 1), MAX_TIMER));
    wakeUp.unref();
  }

  const answerTimers = new Set<NodeJS.Timeout>();
  function deliver(delivery: Delivery, response: ServerResponse): void {
    const { contentCoding } = engine.settings();
    if (delivery.afterMs === 0) {
      write(delivery, response, contentCoding);
      return;
    }
    const timer = setTimeout(() => {
      answerTimers.delete(timer);
      write(delivery, response, contentCoding);
    }, delivery.afterMs);
    answerTimers.add(timer);
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET';
    // Not `new URL`, which throws: a request may have any text as its target, and must not end the server.
    const [path = '/', queryText = ''] = (request.url ?? '/').split(/\?(.*)/s);
    const query = new URLSearchParams(queryText);
    const body = await readBody(request);
    if (body === null) {
      writeJson(response, 413, {
        error: `A body is at most ${MAX_BODY} bytes.`,
      });
      return;
    }
    if (path.startsWith('/_control/')) {
      const answer = control({ engine, log }, method, path, query, body);
      writeJson(response, answer.status, answer.body);
      return;
    }
    const to = route(method, path);
    const parameters = new Map(method === 'POST' ? new URLSearchParams(body) : query);
    const authorization = request.headers.authorization ?? null;
    log.add(clock(), method, path, parameters);
    switch (to.kind) {
      case 'write':
        deliver(engine.execute({ endpoint: to.endpoint, authorization, parameters }), response);
        return;
      case 'query':
        deliver(engine.query({ endpoint: to.endpoint, authorization, parameters }), response);
        return;
      case 'wrong_method':
        writeJson(response, 405, {
          result: { code: '200.300.403', description: 'Invalid HTTP method' },
        });
        return;
      case 'unknown':
        response.writeHead(404, { 'content-type': 'text/html' }).end('<html><body>404</body></html>');
    }
  }

  const server = createServer((request, response) => {
    handle(request, response)
      .then(pump)
      .catch((error: unknown) => {
        // A client that disconnects while sending is no error of the simulator. Any other error is.
        if (request.destroyed && !request.complete) return;
        console.error('The gateway simulator failed on a request:', error);
        if (response.headersSent) response.destroy();
        else
          writeJson(response, 500, {
            error: 'The gateway simulator failed on this request. Its output has the error.',
          });
      });
  });
  // Longer than any client keeps an idle connection, so that no request is sent on a connection that is being closed.
  server.keepAliveTimeout = 75_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  });
  pump();

  return {
    url: urlOf(server.address()),
    engine,
    requests: () => log.list(),
    undelivered: () => sender?.undelivered() ?? 0,
    async close() {
      clearTimeout(wakeUp);
      answerTimers.forEach(clearTimeout);
      sender?.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      journal?.close();
    },
  };
}

function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') throw new Error('The gateway has no port.');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

/** Yields the body's chunks. Node types them as `any`; without an encoding they are buffers. */
async function* chunksOf(request: IncomingMessage): AsyncGenerator<Buffer> {
  for await (const chunk of request) {
    if (Buffer.isBuffer(chunk)) yield chunk;
  }
}

/** Returns the body, or null if it is longer than `MAX_BODY`. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const bytes of chunksOf(request)) {
    length += bytes.length;
    if (length <= MAX_BODY) chunks.push(bytes);
  }
  return length > MAX_BODY ? null : Buffer.concat(chunks).toString('utf8');
}

function write(delivery: Delivery, response: ServerResponse, coding: GatewaySettings['contentCoding']): void {
  switch (delivery.kind) {
    case 'answer': {
      const { bytes, headers } = encodeBody(JSON.stringify(delivery.body), coding);
      response
        .writeHead(delivery.httpStatus, {
          'content-type': 'application/json;charset=UTF-8',
          ...headers,
        })
        .end(bytes);
      return;
    }
    case 'raw': {
      const { bytes, headers } = encodeBody(delivery.text, coding);
      response.writeHead(delivery.httpStatus, {
        'content-type': delivery.contentType,
        ...headers,
        'content-length': bytes.length,
        ...(delivery.location === null ? {} : { location: delivery.location }),
      });
      if (!delivery.cutOff) {
        response.end(bytes);
        return;
      }
      response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
      return;
    }
    case 'dropped':
      response.destroy();
  }
}

function writeJson(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(`${JSON.stringify(body, amountsAsText)}\n`);
}
