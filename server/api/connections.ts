/**
 * Closes keep-alive connections during shutdown. Node closes the connections that are idle when `close()` is called. It does not close one
 * that becomes idle later or never carried a request: `close()` would wait until the client disconnects.
 */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Closes each connection that has no request under way, from the moment `closing` aborts. */
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
