/**
 * Lets the server end while others keep connections open to it. Node closes those that are idle when it is told to end, but not one that
 * becomes idle later, nor one that never carried a request, and would wait for whoever holds it.
 */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** From `closing` on, every connection ends as soon as no request is on it. */
export function endConnections(app: FastifyInstance, closing: AbortSignal): void {
  const idle = new Set<Socket>();
  app.server.on('connection', (socket) => {
    idle.add(socket);
    socket.once('close', () => idle.delete(socket));
  });
  app.server.on('request', ({ socket }, response) => {
    idle.delete(socket);
    response.once('close', () => {
      if (closing.aborted) socket.destroySoon();
      else if (!socket.destroyed) idle.add(socket);
    });
  });
  closing.addEventListener('abort', () => {
    for (const socket of idle) socket.destroy();
  });
}
