/** Searches for card numbers, in all forms of test/leaks/forms.ts, and for secrets in every table, in log lines, and in the workflow histories of Temporal. */
import { isGrpcServiceError, type Client } from '@temporalio/client';
import { sql } from 'kysely';
import type { Database } from '../../ledger/db/database.js';
import { formsInText, needlesOf } from '../leaks/forms.js';

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

const NEEDLES = needlesOf({ numbers: TEST_CARDS });
/** Any field for the card's security code. */
const CODE_FIELD = /\bcvv["\\]*\s*[:=]/iu;

export interface Places {
  readonly database: Database;
  readonly logged: readonly string[];
  readonly temporal: Client;
  /** Every run on this queue is read. Visibility may lag behind. */
  readonly taskQueue: string;
  /** Read even if they are not visible yet. A workflow that was never started has no history. */
  readonly workflowIds: readonly string[];
}

/** Returns the places that contain a card or one of `secrets`, without the secret itself, and how many runs and rows were read. */
export async function leaksIn(
  places: Places,
  secrets: readonly string[],
): Promise<{ readonly leaks: readonly string[]; readonly runs: number; readonly rows: number }> {
  const forms = [CODE_FIELD, ...secrets.map(exactly)];
  const texts: (readonly [string, string])[] = [];
  const search = (where: string, text: string): void => void texts.push([where, text]);
  places.logged.forEach((line, index) => {
    search(`log line ${index + 1}`, line);
  });
  const rows = await readTables(places.database, search);
  const runs = await readHistories(places, search);
  // All texts at once: there are hundreds of forms, and one search for each of them is faster than one for each of them and each text.
  const hasCard = formsInText(texts.map(([, text]) => text).join('\n'), NEEDLES).length > 0;
  const leaks = texts
    .filter(
      ([, text]) =>
        forms.some((form) => form.test(text)) || (hasCard && formsInText(text, NEEDLES).length > 0),
    )
    .map(([where]) => where);
  return { leaks: [...new Set(leaks)], runs, rows };
}

/** Matches the text itself. Ignores case, because hexadecimal keys may change theirs. */
const exactly = (secret: string): RegExp => new RegExp(secret.replace(/[$()*+.?[\\\]^{|}]/gu, '\\$&'), 'iu');

/** Searches one text; `where` names its place. */
type Search = (where: string, text: string) => void;

/** Reads every column of every table, of any type, in PostgreSQL's own JSON form. */
async function readTables({ db }: Database, search: Search): Promise<number> {
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
        // Bytes are searched as the text that they encode.
        search(`${name}.${column}`, text.startsWith('\\x') ? bytesOf(text) : text);
      }
  }
  return count;
}

const bytesOf = (text: string): string => `${text}\n${Buffer.from(text.slice(2), 'hex').toString('utf8')}`;

/** Status code of gRPC. */
const NOT_FOUND = 5;

async function readHistories({ temporal, taskQueue, workflowIds }: Places, search: Search): Promise<number> {
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
      search(`${workflowId}, event ${String(event.eventId)}`, [...textsIn(event)].join('\n'));
  }
  return count;
}

/** Yields all text of a value. Bytes of payloads are read as text. */
export function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (value instanceof Uint8Array) yield Buffer.from(value).toString('utf8');
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) {
      yield key;
      yield* textsIn(inner);
    }
}
