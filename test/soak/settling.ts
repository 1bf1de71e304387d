/** The end of a soak run: what was in doubt is asked again, and everything that is under way comes to rest. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../ledger/db/database.js';
import { askOnce, isRefusal, type Asks } from './asking.js';
import { eventsInProgress, resendDead, type EventEvidence } from './event-verdicts.js';
import type { Http } from './http.js';
import type { Notes, Order } from './notes.js';
import { decideOn, type Operators } from './operators.js';
import { confirm } from './repairs.js';
import { notificationsInProgress, type ServiceEvidence } from './service-verdicts.js';
import { unsettled, type Evidence } from './verdicts.js';

/** A person's patience, and that of Temporal with a worker that is gone. */
const COMMAND_WITHIN_MS = 60_000;

/** Callers that ask again, or say again, at the same time. */
const SETTLERS = 6;

/**
 * A call that failed has stored the whole refund or nothing: the same key answers the one that is there, or stores it now, or is
 * refused where nothing was stored.
 */
export async function settleDoubts(desks: readonly [Asks, ...Asks[]], notes: Notes, database: Database) {
  const waiting = [...notes.doubts.values()];
  const settled = waiting.length;
  const settler = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
      // In turn: whoever was in doubt over one way may ask over the other.
      await settleDoubt(next.order, desks[waiting.length % desks.length] ?? desks[0], notes, database);
  };
  await Promise.all(Array.from({ length: SETTLERS }, settler));
  return settled;
}

async function settleDoubt(order: Order, entryPoint: Asks, notes: Notes, database: Database) {
  const key = order.idempotencyKey;
  const before = await database.db
    .selectFrom('refunds')
    .select('id')
    .where('client_id', '=', order.clientId)
    .where('idempotency_key', '=', key)
    .executeTakeFirst();
  const answer = await askOnce(entryPoint, notes, order);
  if (answer.kind === 'failed')
    notes.wrong.push(`asked again when all was well, key ${key}: ${answer.error}`);
  if (before === undefined) return;
  if (answer.kind === 'refused')
    notes.wrong.push(`refund ${before.id} is stored; asked again its caller is told ${answer.code}`);
  if (answer.kind === 'accepted' && answer.refund.id !== before.id)
    notes.wrong.push(`refund ${before.id} is stored; asked again its caller is told of ${answer.refund.id}`);
}

/** When everybody is back each word has an answer: a run that was just given to another worker may need some time for it. */
export async function settleCommands(notes: Notes): Promise<void> {
  const waiting = notes.unanswered.splice(0);
  const settler = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      await settleCommand(next, notes);
  };
  await Promise.all(Array.from({ length: SETTLERS }, settler));
}

async function settleCommand({ what, again }: Notes['unanswered'][number], notes: Notes): Promise<void> {
  const deadline = performance.now() + COMMAND_WITHIN_MS;
  let open: unknown = '';
  while (open !== undefined && performance.now() < deadline)
    open = await again().then(
      () => undefined,
      (error: unknown) => (isRefusal(error) ? undefined : error),
    );
  if (open !== undefined)
    notes.wrong.push(
      `${what}, said again when all was well: ${open instanceof Error ? open.message : 'no answer'}`,
    );
}

/** Waits until the caller has been told everything. Answers how many events an operator had to send again. */
export async function reportRest(events: EventEvidence, http: Http, deadline: number): Promise<number> {
  let resent = 0;
  while ((await eventsInProgress(events)) > 0 && performance.now() < deadline) {
    resent += await resendDead(events, http);
    await sleep(500);
  }
  return resent;
}

interface Settling {
  readonly evidence: Evidence;
  readonly service: ServiceEvidence;
  readonly operators: Operators;
  readonly gatewayUrl: string;
}

/** Waits until every refund is over or with a person and every notice worked through, and lets the gateway finish and second persons decide meanwhile. */
export async function settle(
  { evidence, service, operators, gatewayUrl }: Settling,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { gateway } = evidence;
  const { client, random, notes } = operators;
  while (performance.now() < deadline && signal?.aborted !== true) {
    for (const { id, state, type } of gateway.transactions())
      if (state === 'pending' && type !== 'CB')
        gateway.finishPending({ id, state: random.pick(['succeeded', 'rejected']) });
    // While a correction waits, no absence is concluded.
    for (const id of notes.proposed.keys()) await confirm(operators, id);
    // It posts what is due when it is spoken to.
    await (await fetch(`${gatewayUrl}/_control/settings`)).arrayBuffer();
    if ((await unsettled(evidence)) + (await notificationsInProgress(service)) === 0) {
      const waiting = await client.listRefunds({ state: 'awaiting_approval', limit: 1_000 });
      // A few stay with the second person: that is an end as well.
      const decided = waiting.filter(() => random.chance(0.8));
      if (decided.length === 0) return;
      for (const refund of decided) await decideOn(operators, refund).catch(() => undefined);
    }
    await sleep(500);
  }
}
