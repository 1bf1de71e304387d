/** Verdicts about outgoing events: each reportable fact reached the client, signed, and nothing else did. */
import { sql } from 'kysely';
import { OUTGOING_EVENT_TYPES } from '../../ledger/outbox/outbox.js';
import type { Database } from '../../ledger/db/database.js';
import { factOf, type Client } from './events-receiver.js';
import { OPERATOR, type Http } from './http.js';
import type { Verdict } from './verdicts.js';

export interface EventEvidence {
  readonly database: Database;
  readonly client: Client;
}

export async function eventVerdicts({ database, client }: EventEvidence): Promise<readonly Verdict[]> {
  const facts = await reportedFacts(database);
  const reported = [...client.taken.values()];
  const known = new Map(facts.map(({ event, fact }) => [event, fact]));
  return [
    {
      name: 'events that never reached the client',
      wrong: facts.flatMap(({ event, fact, state }) => {
        if (event === null) return [`${fact} became no event`];
        if (!client.taken.has(event))
          return [`event ${event} (${fact}) is ${String(state)}, and never arrived`];
        return state === 'delivered'
          ? []
          : [`event ${event} (${fact}) arrived, and is still ${String(state)}`];
      }),
    },
    {
      name: 'events that are no facts, or not signed',
      wrong: [
        ...client.wrong,
        ...reported.flatMap((event) =>
          known.get(event.id) === factOf(event) ? [] : [`event ${event.id} reports ${factOf(event)}`],
        ),
      ],
    },
  ];
}

/** Counts the events that are not delivered. The run waits at its end until there are none. */
export async function eventsInProgress({ database }: EventEvidence): Promise<number> {
  return (await reportedFacts(database)).filter(({ state }) => state !== 'delivered').length;
}

/** Returns the number of events by state. */
export async function eventsByEnd(database: Database): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ state: string; count: number }>`
    select state, count(*)::int as count from event_deliveries group by state`.execute(database.db);
  return new Map(rows.map(({ state, count }) => [state, count]));
}

/** Resends the events whose delivery was given up, as an operator does when the client is back. Returns how many. */
export async function resendDead({ database }: EventEvidence, http: Http): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    select id::text from event_deliveries where state = 'dead'`.execute(database.db);
  for (const { id } of rows)
    await http.send({ method: 'POST', path: `/v1/events/${id}/resend`, by: OPERATOR });
  return rows.length;
}

/** Returns every reportable fact, and the event that was made of it. */
async function reportedFacts({ db }: Database) {
  const { rows } = await sql<{ fact: string; event: string | null; state: string | null }>`
    select format('%s of %s as fact %s', e.type, e.refund_id, e.id) as fact, d.id::text as event, d.state
    from events e left join event_deliveries d on d.event_id = e.id
    where e.type = any(${[...OUTGOING_EVENT_TYPES]}::text[]) order by e.id`.execute(db);
  return rows;
}
