/** `GET /v1/stream`: changes as server-sent events. Clients read it with `fetch`, because `EventSource` cannot send a key. */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Change } from '../../ledger/core/changes.js';
import { createChanges } from './change-feed.js';
import { disconnectSignal } from './disconnect.js';
import type { ApiParts } from './route-dependencies.js';
import { problems } from './problems.js';
import { streamHeaders } from './request-schemas.js';
import { change } from './schemas.js';

/** Milliseconds between heartbeats. Proxies close a connection that is silent for a minute. */
const HEARTBEAT = 15_000;

export const streamRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { database, closing }) => {
  const changes = createChanges(database);

  app.get(
    '/v1/stream',
    {
      config: { role: 'read' },
      schema: {
        tags: ['refunds'],
        summary: 'Stream changes',
        description:
          'Server-sent events: each is `event: change` with a Change as data, and a comment is sent every 15 seconds. `Last-Event-ID` resumes after that change. A change is a hint: read the refund for its current state. A change may arrive after one with a higher id.',
        headers: streamHeaders,
        response: {
          200: {
            description: 'A stream that ends when the client or the server closes it',
            content: { 'text/event-stream': { schema: z.unknown().meta({ 'x-event': change.meta()?.id }) } },
          },
          ...problems(401, 422, 429, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const last = request.headers['last-event-id'];
      const signal = disconnectSignal(request.raw, closing);
      const stream = Readable.from(
        withHeartbeat(changes.listen(signal, last === undefined ? undefined : BigInt(last)), signal),
        { objectMode: false },
      );
      return reply.type('text/event-stream').header('x-accel-buffering', 'no').send(stream);
    },
  );
};

async function* withHeartbeat(
  changes: AsyncGenerator<Change, void>,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  // Sent immediately, so that the client knows that the stream is open.
  yield ': listening\n\n';
  let next = changes.next();
  while (!signal.aborted) {
    const timer = new AbortController();
    const heartbeat = sleep(HEARTBEAT, 'quiet' as const, { signal: timer.signal }).catch(
      () => 'quiet' as const,
    );
    const first = await Promise.race([next, heartbeat]);
    timer.abort();
    if (first === 'quiet') yield ': still here\n\n';
    else if (first.done === true) return;
    else {
      yield eventOf(first.value);
      next = changes.next();
    }
  }
}

const eventOf = ({ id, at, ...rest }: Change): string =>
  `id: ${id}\nevent: change\ndata: ${JSON.stringify({ id: String(id), at: at.toISOString(), ...rest })}\n\n`;
