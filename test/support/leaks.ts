/** What must stand nowhere, looked for everywhere: in every table, in log lines, and in what Temporal keeps of the runs. */
import { isGrpcServiceError, type Client } from '@temporalio/client';
import { sql } from 'kysely';
import type { Database } from '../../ledger/db/database.js';

/** The gateway's published test cards (`gateway.md` section 8). */
const TEST_CARDS = [
  '4200000000000000',
  '4111111111111111',
  '4242424242424242',
  '5454545454545454',
  '5105105105105100',
  '377777777777770',
  '36961903000009',
  '6011587918359498',
  '4444444444444444',
  '4200000000000001',
];

/** A card number however it is grouped, and a field for the three digits on its back. */
const CARDS: readonly RegExp[] = [
  ...TEST_CARDS.map((number) => new RegExp(number.replace(/(?<=\d)(?=\d)/gu, '[ .-]?'), 'u')),
  /\bcvv["\\]*\s*[:=]/iu,
];

export interface Places {
  readonly database: Database;
  readonly logged: readonly string[];
  readonly temporal: Client;
  /** Every run on this queue is read; visibility may lag behind. */
  readonly taskQueue: string;
  /** Read whether or not they are visible yet. One that was never started has nothing to show. */
  readonly workflowIds: readonly string[];
}

/** Where a card or one of `secrets` stands, in words without the thing itself. Also says how much was read, so that nothing is not everything. */
export async function leaksIn(
  places: Places,
  secrets: readonly string[],
): Promise<{ readonly leaks: readonly string[]; readonly runs: number; readonly rows: number }> {
  const forms = [...CARDS, ...secrets.map(exactly)];
  const leaks: string[] = [];
  const query = (where: string, text: string): void => {
    if (forms.some((form) => form.test(text))) leaks.push(where);
  };
  places.logged.forEach((line, index) => {
    query(`log line ${index + 1}`, line);
  });
  const rows = await readTables(places.database, query);
  const runs = await readHistories(places, query);
  return { leaks: [...new Set(leaks)], runs, rows };
}

/** As text; hexadecimal keys may change their case on the way. */
const exactly = (secret: string): RegExp => new RegExp(secret.replace(/[$()*+.?[\\\]^{|}]/gu, '\\$&'), 'iu');

type Theme = (where: string, text: string) => void;

/** Every column of every table, whatever its type: as PostgreSQL itself writes it as JSON. */
async function readTables({ db }: Database, query: Theme): Promise<number> {
  const tables = await sql<{ name: string }>`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`.execute(db);
  let count = 0;
  for (const { name } of tables.rows) {
    const { rows } = await sql<{ row: Readonly<Record<string, unknown>> }>`
      SELECT to_jsonb(t) AS row FROM ${sql.table(name)} t`.execute(db);
    count += rows.length;
    for (const { row } of rows)
      for (const [column, value] of Object.entries(row)) {
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        // Bytes are looked through as what they stand for.
        query(`${name}.${column}`, text.startsWith('\\x') ? bytesOf(text) : text);
      }
  }
  return count;
}

const bytesOf = (text: string): string => `${text}\n${Buffer.from(text.slice(2), 'hex').toString('utf8')}`;

/** Of gRPC. */
const NOT_FOUND = 5;

async function readHistories({ temporal, taskQueue, workflowIds }: Places, query: Theme): Promise<number> {
  const runs = new Map<string, readonly [string, string | undefined]>();
  for await (const { workflowId, runId } of temporal.workflow.list({ query: `TaskQueue = '${taskQueue}'` }))
    runs.set(runId, [workflowId, runId]);
  for (const workflowId of workflowIds) runs.set(workflowId, [workflowId, undefined]);
  let count = 0;
  for (const [workflowId, runId] of runs.values()) {
    const history = await temporal.workflow
      .getHandle(workflowId, runId)
      .fetchHistory()
      .catch((error: unknown) => {
        const code: number | undefined = isGrpcServiceError(error) ? error.code : undefined;
        if (code === NOT_FOUND) return undefined;
        throw error;
      });
    if (history === undefined) continue;
    count += 1;
    for (const event of history.events ?? [])
      query(`${workflowId}, event ${String(event.eventId)}`, [...textsIn(event)].join('\n'));
  }
  return count;
}

/** All text of a value, the bytes of payloads read as the text that they are. */
function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (value instanceof Uint8Array) yield Buffer.from(value).toString('utf8');
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) {
      yield key;
      yield* textsIn(inner);
    }
}
