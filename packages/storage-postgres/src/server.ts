// What is asked of the server before anything is entrusted to it.

import { withinTime } from "@reelkeep/core";
import type { Clock, Logger, StoreFault } from "@reelkeep/core/ports";
import { PLACE_BITS } from "./append-statement.js";
import { ask } from "./ask.js";
import { horizonOf, OLDEST_OPEN } from "./horizon.js";
import { refused } from "./postgres-fault.js";
import type { PostgresPool } from "./postgres-pool.js";

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
	const columns = names.map((name) => `current_setting('${name}') AS ${name}`).join(", ");
	const [settings] = await ask(pool, { text: `SELECT ${columns}` }, "connecting");
	return settings as Record<string, string>;
}

/**
 * Positions are made of transaction ids, which another server counts from elsewhere: where the log was restored into one that
 * is behind, they are lifted above all that are there, and above what readers wait for.
 */
export async function adoptServer(pool: PostgresPool, schema: string, logger: Logger): Promise<void> {
	const [lifted] = await ask(
		pool,
		{
			text: `UPDATE ${schema}.log SET transaction_offset = newest + 1 - ${OLDEST_OPEN}
				FROM (SELECT coalesce(max(position) >> ${PLACE_BITS}, 0) AS newest FROM ${schema}.events) AS known
				WHERE newest >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + transaction_offset
				RETURNING transaction_offset`,
		},
		"looking how far the log is",
	);
	if (lifted === undefined) return;
	const offset = lifted.transaction_offset;
	logger.warn({ offset }, "the log was moved to another server: positions go on behind those that are there");
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
	const asked = oldestUnseen(pool, schema).catch((error: unknown) => error as StoreFault);
	const answer = await withinTime(clock, asked, CHECK_TIMEOUT_MS);
	if (answer === undefined) return { failing: `PostgreSQL has not answered in ${CHECK_TIMEOUT_MS / 1000} s` };
	if (answer instanceof Error) return { failing: answer.message };
	const degraded = describeLag(clock.now() - (answer.recordedAt ?? clock.now()));
	return degraded === undefined ? {} : { degraded };
}

/** `undefined`: not worth a word. Pure. */
export function describeLag(lagMs: number): string | undefined {
	if (lagMs < LONG_LAG_MS) return undefined;
	const seconds = Math.floor(lagMs / 1_000);
	return `a transaction in PostgreSQL has been open for ${seconds} s or more: until it ends, subscriptions see nothing that was appended since (look into pg_stat_activity and pg_prepared_xacts)`;
}

/** When the first event was recorded that nobody who follows the log can see yet; `undefined`: all are seen. */
async function oldestUnseen(
	pool: PostgresPool,
	schema: string,
): Promise<{ readonly recordedAt: number | undefined }> {
	const text = `SELECT recorded_at FROM ${schema}.events WHERE position >= ${horizonOf(schema)} ORDER BY position LIMIT 1`;
	const [oldest] = await ask(pool, { text }, "asking how it is");
	return { recordedAt: oldest === undefined ? undefined : Number(oldest.recorded_at) };
}
