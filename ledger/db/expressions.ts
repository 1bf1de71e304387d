/** Pieces of SQL that say the same wherever they stand. */
import { sql } from 'kysely';

/** The time of the transaction, by the database's own clock. */
export const NOW = sql<Date>`now()`;

/** Of a refund that has changed. */
export const NEXT_VERSION = sql<number>`version + 1`;

/** The gateway's id in an event. */
export const GATEWAY_ID = sql<string>`data->>'gatewayId'`;

/** Whether a refund that was made elsewhere is final, by its event. */
export const IS_FINAL = sql<boolean>`coalesce((data->>'final')::boolean, false)`;
