/** Changes as they happen, as server-sent events: read with fetch, because an EventSource cannot carry a key. */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Change } from '../../ledger/core/changes.js';
import { createChanges } from './changes.js';
import { untilGone } from './gone.js';
import type { ApiParts } from './parts.js';
import { problems } from './problems.js';
import { change, streamHeaders } from './schemas.js';

/** Milliseconds. Proxies close what is silent for a minute. */
const HEARTBEAT = 15_000;

export const streamRoutes: FastifyPluginAsyncZod<ApiParts> = async (app, { database, closing }) => {
  const changes = createChanges(database);

  app.get(
    '/v1/stream',
    {
      config: { role: 'read' },
      schema: {
        tags: ['refunds'],
        summary: 'Changes as they happen',
        description:
          'Server-sent events: `event: change` with a Change as data, a comment every 15 seconds. `Last-Event-ID` goes on after that change. It says that something changed: read the refund for what it is now. A change may be told after one with a higher id.',
        headers: streamHeaders,
        response: {
          200: {
            description: 'A stream that ends when either side does',
            content: { 'text/event-stream': { schema: z.unknown().meta({ 'x-event': change.meta()?.id }) } },
          },
          ...problems(401, 422, 429, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const last = request.headers['last-event-id'];
      const signal = untilGone(request.raw, closing);
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
  // At once, so that whoever asked knows that it is listening.
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
