/** Finds free TCP ports on the loopback interface. */
import { createServer } from 'node:net';

/** Ports already returned in this process: two servers that start at the same time need different ones. */
const returned = new Set<number>();

/**
 * Returns a port of 127.0.0.1 on which nothing listens. Another process may take it before the server binds it, so a
 * caller that starts a server tries again with another port when the bind fails.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await probe();
    if (returned.has(port)) continue;
    returned.add(port);
    return port;
  }
}

/** True if nothing listens on this port of 127.0.0.1 at the moment. */
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
