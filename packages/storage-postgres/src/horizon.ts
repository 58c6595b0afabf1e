// Up to where the log may be read: every transaction before that has ended. docs/adr/0040-reading-without-gaps.md.

import { PLACE_BITS } from "./append-statement.js";

/** The oldest transaction that is open, or the next one: all before it have ended. SQL. */
export const OLDEST_OPEN = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint";

/** The same as positions count transactions. SQL. */
export function horizonTransactionOf(schema: string): string {
	return `(SELECT ${OLDEST_OPEN} + transaction_offset FROM ${schema}.log)`;
}

/** The first position that may still come. SQL. */
export function horizonOf(schema: string): string {
	return `(${horizonTransactionOf(schema)} << ${PLACE_BITS})`;
}
