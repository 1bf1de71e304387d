/** Free ports on the loopback interface. */
import { createServer } from 'node:net';

/** Ports handed out by this process: two servers started side by side must not be given the same one. */
const given = new Set<number>();

/**
 * A port of 127.0.0.1 on which nothing listens. Between this answer and the server's own bind another process may
 * still take it, so whoever starts a server on it tries again with another port when the bind fails.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await probe();
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

/** True where nothing listens on this port of 127.0.0.1 now. */
export async function isFree(port: number): Promise<boolean> {
  return probe(port).then(
    () => true,
    () => false,
  );
}

function probe(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: wanted }, () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no TCP address was bound'));
        else resolve(address.port);
      });
    });
  });
}
