/** SQL expressions that several modules use. */
import { sql } from 'kysely';

/** The time of the transaction, by the database's own clock. */
export const NOW = sql<Date>`now()`;

/** The next version of a refund that changes. */
export const NEXT_VERSION = sql<number>`version + 1`;

/** The gateway id in an event's data. */
export const GATEWAY_ID = sql<string>`data->>'gatewayId'`;

/** True if the event's data says that the refund made elsewhere, or the dispute, is final. */
export const IS_FINAL = sql<boolean>`coalesce((data->>'final')::boolean, false)`;
