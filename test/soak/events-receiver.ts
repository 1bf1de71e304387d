/** The client's endpoint for events: it accepts them, refuses them, is slow or unavailable, and records each event that it accepts. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { verify, type RefundEvent } from '../../examples/event-receiver/verify.js';
import type { Random } from '../simulation/harness/random.js';
import type { Notes } from './notes.js';

/** Behavior for a while. `unavailable`: closes without an answer. `forgetful`: accepts the event, and its answer is lost. */
export type Manner = 'well' | 'slow' | 'failing' | 'unavailable' | 'forgetful';

export interface Client {
  readonly url: string;
  /** Events by id, each as it first arrived. */
  readonly taken: ReadonlyMap<string, RefundEvent>;
  /** Posts that were not signed correctly, or repeated an id with another fact; a sentence each. */
  readonly wrong: readonly string[];
  /** Number of posts, whatever was answered. */
  readonly posts: () => number;
  behave(manner: Manner): void;
  close(): Promise<void>;
}

const SLOW_MS = 2_500;

export async function startClient(secret: string): Promise<Client> {
  const taken = new Map<string, RefundEvent>();
  const wrong: string[] = [];
  let posts = 0;
  let manner: Manner = 'well';

  function take(request: IncomingMessage, body: string): boolean {
    try {
      const event = verify(request.headers, body, secret);
      const before = taken.get(event.id);
      if (event.id !== request.headers['webhook-id'])
        wrong.push(`event ${event.id} arrived under another id`);
      // The refund in the event is its current state; the fact stays the same.
      if (before !== undefined && factOf(before) !== factOf(event))
        wrong.push(`event ${event.id} reported ${factOf(before)}, and then ${factOf(event)}`);
      if (before === undefined) taken.set(event.id, event);
      return true;
    } catch (error) {
      wrong.push(`a post was no event: ${error instanceof Error ? error.message : 'failed'}`);
      return false;
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    posts += 1;
    if (manner === 'unavailable') return void response.destroy();
    if (manner === 'failing') return void response.writeHead(503).end();
    if (manner === 'slow') await sleep(SLOW_MS);
    const isTaken = take(request, body);
    if (manner === 'forgetful') return void response.destroy();
    response.writeHead(isTaken ? 204 : 400).end();
  }

  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => void answer(request, response, Buffer.concat(parts).toString('utf8')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/refunds`,
    taken,
    wrong,
    posts: () => posts,
    behave(next) {
      manner = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

export const factOf = ({ type, data }: RefundEvent): string =>
  `${type} of ${data.refund.id} as fact ${data.sequence}`;

const MANNERS: readonly [Manner, ...Manner[]] = [
  'well',
  'well',
  'well',
  'slow',
  'failing',
  'unavailable',
  'forgetful',
];

/** Changes its behavior every few seconds until `over`. Then it answers well. */
export async function runClient({
  client,
  random,
  notes,
  over,
}: {
  readonly client: Client;
  readonly random: Random;
  readonly notes: Notes;
  readonly over: AbortSignal;
}): Promise<void> {
  while (!over.aborted) {
    const manner = random.pick(MANNERS);
    if (manner !== 'well') notes.fault(`client's endpoint: ${manner}`);
    client.behave(manner);
    await sleep(random.spread(1_000, 8_000), undefined, { signal: over }).catch(() => undefined);
  }
  client.behave('well');
}
