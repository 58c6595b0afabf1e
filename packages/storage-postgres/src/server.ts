// What is asked of the server before anything is entrusted to it.

import { type Clock, type Logger, storeFault } from "@reelkeep/core/ports";
import { PLACE_BITS } from "./append-statement.js";
import { toFault } from "./postgres-fault.js";
import type { PostgresPool } from "./postgres-pool.js";
import { horizonOf } from "./read-events.js";
import { inTransaction } from "./schema.js";

/** For `pg_current_snapshot` and `xid8`. */
const LEAST_VERSION = 130_000;

/**
 * *Errors*: rejects with a `StoreFault` that will not pass: the server is too old, or answers before what it was given is
 * on its disk.
 */
export async function checkServer(pool: PostgresPool): Promise<void> {
	const settings = await settingsOf(pool);
	if (Number(settings.server_version_num) < LEAST_VERSION) {
		throw refused(`PostgreSQL 13 or newer is needed; this is ${settings.server_version}`);
	}
	if (settings.synchronous_commit === "off") {
		throw refused(
			"synchronous_commit is off, so that what was answered is lost in a crash: ALTER ROLE … SET synchronous_commit = on",
		);
	}
	if (settings.fsync === "off") {
		throw refused("fsync is off, so that a crash of the machine may take everything: set it on");
	}
	if (settings.server_encoding !== "UTF8") {
		throw refused(`the database's encoding is ${settings.server_encoding}: make one in UTF8`);
	}
}

async function settingsOf(pool: PostgresPool): Promise<Readonly<Record<string, string>>> {
	const names = ["server_version_num", "server_version", "synchronous_commit", "fsync", "server_encoding"];
	try {
		const columns = names.map((name) => `current_setting('${name}') AS ${name}`).join(", ");
		const { rows } = await pool.query({ text: `SELECT ${columns}` });
		return rows[0] as Record<string, string>;
	} catch (error) {
		throw toFault(error, "connecting");
	}
}

/**
 * Positions are made of transaction ids, which another server counts from elsewhere: where the log was restored into one that
 * is behind, they are lifted above all that are there, and above what readers wait for.
 */
export async function adoptServer(pool: PostgresPool, schema: string, logger: Logger): Promise<void> {
	await inTransaction(pool, "looking how far the log is", async (client) => {
		const { rows } = await client.query({
			text: `UPDATE ${schema}.log SET transaction_offset = newest + 1 - pg_snapshot_xmin(pg_current_snapshot())::text::bigint
				FROM (SELECT coalesce(max(position) >> ${PLACE_BITS}, 0) AS newest FROM ${schema}.events) AS known
				WHERE newest >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + transaction_offset
				RETURNING transaction_offset`,
		});
		const offset = rows[0]?.transaction_offset;
		if (offset === undefined) return;
		logger.warn(
			{ offset },
			"the log was moved to another server: positions go on behind those that are there",
		);
	});
}

/** What readers lag behind longer than this is told of. */
const LONG_LAG_MS = 60_000;
const CHECK_TIMEOUT_MS = 2_000;

/**
 * What is wrong now, in words. `failing`: the server does not answer in time. `degraded`: readers of the log are held back
 * for long. Never rejects.
 */
export async function checkHealth(
	pool: PostgresPool,
	schema: string,
	clock: Clock,
): Promise<{ readonly failing?: string; readonly degraded?: string }> {
	const asked = oldestUnseen(pool, schema).catch((error: unknown) => toFault(error, "asking how it is"));
	const waiting = new AbortController();
	const late = clock.sleep(CHECK_TIMEOUT_MS, waiting.signal).then(() => "late" as const);
	const answer = await Promise.race([asked, late]);
	waiting.abort("answered");
	if (answer === "late") return { failing: `PostgreSQL has not answered in ${CHECK_TIMEOUT_MS / 1000} s` };
	if (answer instanceof Error) return { failing: answer.message };
	const degraded = describeLag(clock.now() - (answer ?? clock.now()));
	return degraded === undefined ? {} : { degraded };
}

/** `undefined`: not worth a word. Pure. */
export function describeLag(lagMs: number): string | undefined {
	if (lagMs < LONG_LAG_MS) return undefined;
	const seconds = Math.floor(lagMs / 1_000);
	return `a transaction in PostgreSQL has been open for ${seconds} s or more: until it ends, subscriptions see nothing that was appended since (look into pg_stat_activity and pg_prepared_xacts)`;
}

/** When the first event was recorded that nobody who follows the log can see yet. */
async function oldestUnseen(pool: PostgresPool, schema: string): Promise<number | undefined> {
	const { rows } = await pool.query({
		text: `SELECT recorded_at FROM ${schema}.events WHERE position >= ${horizonOf(schema)} ORDER BY position LIMIT 1`,
	});
	return rows[0] === undefined ? undefined : Number(rows[0].recorded_at);
}

function refused(message: string) {
	return storeFault("failed", message, { retryable: false });
}
