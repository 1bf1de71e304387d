/** The end of a soak run: repeats the requests in doubt, and waits until all refunds come to rest. */
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

/** Time that an operator waits, and Temporal with a worker that is gone. */
const COMMAND_WITHIN_MS = 60_000;

/** Number of requests or commands that are repeated at the same time. */
const SETTLERS = 6;

/**
 * Repeats each failed request. It has stored the whole refund or nothing: the same key returns the stored refund, stores it now, or is
 * refused if nothing was stored.
 */
export async function settleDoubts(
  entryPoints: readonly [Asks, ...Asks[]],
  notes: Notes,
  database: Database,
) {
  const waiting = [...notes.doubts.values()];
  const settled = waiting.length;
  const settler = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
      // In turn: a request in doubt on one entry point may be repeated on the other.
      await settleDoubt(
        next.order,
        entryPoints[waiting.length % entryPoints.length] ?? entryPoints[0],
        notes,
        database,
      );
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
    notes.wrong.push(`refund ${before.id} is stored; a repeated request is answered ${answer.code}`);
  if (answer.kind === 'accepted' && answer.refund.id !== before.id)
    notes.wrong.push(
      `refund ${before.id} is stored; a repeated request is answered with ${answer.refund.id}`,
    );
}

/** Repeats each unanswered command. With all parts back it must have an answer, at the latest when its run has a worker again. */
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
      `${what}, repeated when all was well: ${open instanceof Error ? open.message : 'no answer'}`,
    );
}

/** Waits until all events are delivered. Returns how many an operator had to resend. */
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

/** Waits until every refund is final or with an operator and every notification processed. Meanwhile the gateway finishes and approvers decide. */
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
    // Any request makes the gateway post what is due.
    await (await fetch(`${gatewayUrl}/_control/settings`)).arrayBuffer();
    if ((await unsettled(evidence)) + (await notificationsInProgress(service)) === 0) {
      const waiting = await client.listRefunds({ state: 'awaiting_approval', limit: 1_000 });
      // A few keep waiting for an approver, which is an end as well.
      const decided = waiting.filter(() => random.chance(0.8));
      if (decided.length === 0) return;
      for (const refund of decided) await decideOn(operators, refund).catch(() => undefined);
    }
    await sleep(500);
  }
}
