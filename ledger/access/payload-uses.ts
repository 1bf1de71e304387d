/** Records who had payloads of Temporal decrypted or encrypted by the codec server. Rows are never deleted and contain nothing of a payload. */
import { sql } from 'kysely';
import type { Database } from '../db/database.js';

export interface PayloadUse {
  /** Name of the API key, or subject of the token. */
  readonly principal: string;
  readonly namespace: string;
  /** Ids that the payloads are bound to. A payload that is bound to its namespace only has none. */
  readonly workflowIds: readonly string[];
  readonly payloads: number;
}

/** Resolves when the row is on disk. */
export async function recordPayloadUse({ db }: Pick<Database, 'db'>, use: PayloadUse): Promise<void> {
  await sql`
    insert into payload_uses (principal, namespace, workflow_ids, payloads)
    values (${use.principal}, ${use.namespace}, ${[...use.workflowIds]}, ${use.payloads})`.execute(db);
}
