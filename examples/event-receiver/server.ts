/** A shop that is told what became of its refunds: verifies, acts once for each event, and answers quickly. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { verify, type RefundEvent } from './verify.js';

export interface ReceiverOptions {
  readonly secret: string;
  /** Called once for each event. What takes long belongs into a queue: the answer is waited for 15 seconds. */
  readonly onEvent: (event: RefundEvent) => Promise<void>;
}

const LARGEST_BODY = 1_024 * 1_024;

/** In a shop this is a table, written in the transaction that acts on the event. */
const known = new Set<string>();

export function createReceiver({ secret, onEvent }: ReceiverOptions): Server {
  return createServer((request, response) => {
    receive(request).then(
      (status) => response.writeHead(status).end(),
      // Whatever goes wrong here is ours: it is sent again.
      () => response.writeHead(500).end(),
    );
  });

  async function receive(request: IncomingMessage): Promise<number> {
    const body = await textOf(request);
    let event: RefundEvent;
    try {
      event = verify(request.headers, body, secret);
    } catch {
      return 400;
    }
    if (known.has(event.id)) return 204;
    await onEvent(event);
    known.add(event.id);
    return 204;
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    if (!(part instanceof Buffer)) throw new Error('not bytes');
    size += part.length;
    if (size > LARGEST_BODY) throw new Error('too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
