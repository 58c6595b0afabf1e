// What is asked of the server before anything is entrusted to it.

import { type Clock, type Logger, storeFault } from "@reelkeep/core/ports";
import { PLACE_BITS } from "./append-statement.js";
import { codeOf, toFault } from "./postgres-fault.js";
import type { PostgresClient, PostgresPool } from "./postgres-pool.js";
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
 * Positions are made of transaction ids, which another server counts from elsewhere: where the log was restored into one,
 * they are lifted above all that are there.
 */
export async function adoptServer(pool: PostgresPool, schema: string, logger: Logger): Promise<void> {
	await inTransaction(pool, "looking which server this is", async (client) => {
		const { rows } = await client.query({
			text: `SELECT transaction_offset, system_identifier FROM ${schema}.log FOR UPDATE`,
		});
		const current = await systemIdentifier(client);
		const known = rows[0]?.system_identifier;
		if (current === undefined || known === current) return;
		const lifted = await client.query({
			text: `UPDATE ${schema}.log SET system_identifier = $1, transaction_offset = greatest(transaction_offset,
					(SELECT coalesce(max(position) >> ${PLACE_BITS}, 0) FROM ${schema}.events) + 1 - pg_current_xact_id()::text::bigint)
				RETURNING transaction_offset`,
			values: [current],
		});
		if (known === null || known === undefined) return;
		const offset = lifted.rows[0]?.transaction_offset;
		logger.warn(
			{ offset },
			"the log was moved to another server: positions go on behind those that are there",
		);
	});
}

async function systemIdentifier(client: PostgresClient): Promise<string | undefined> {
	await client.query({ text: "SAVEPOINT identifier" });
	try {
		const { rows } = await client.query({
			text: "SELECT system_identifier::text AS identifier FROM pg_control_system()",
		});
		return String(rows[0]?.identifier);
	} catch (error) {
		// Some services do not let anybody ask.
		await client.query({ text: "ROLLBACK TO SAVEPOINT identifier" });
		if (codeOf(error) === undefined) throw error;
		return undefined;
	}
}

/** Who holds back the log for longer than this is told of. */
const LONG_TRANSACTION_S = 60;
const CHECK_TIMEOUT_MS = 2_000;

/**
 * What is wrong now, in words. `failing`: the server does not answer in time. `degraded`: a transaction has been open for so
 * long that readers of the log are far behind. Never rejects.
 */
export async function checkHealth(
	pool: PostgresPool,
	clock: Clock,
): Promise<{ readonly failing?: string; readonly degraded?: string }> {
	const asked = oldestTransaction(pool).catch((error: unknown) => toFault(error, "asking how it is"));
	const waiting = new AbortController();
	const late = clock.sleep(CHECK_TIMEOUT_MS, waiting.signal).then(() => "late" as const);
	const answer = await Promise.race([asked, late]);
	waiting.abort("answered");
	if (answer === "late") return { failing: `PostgreSQL has not answered in ${CHECK_TIMEOUT_MS / 1000} s` };
	if (answer instanceof Error) return { failing: answer.message };
	if (answer.seconds < LONG_TRANSACTION_S) return {};
	return {
		degraded: `a transaction has been open for ${answer.seconds} s (process ${answer.pid} of PostgreSQL): until it ends, subscriptions see nothing that was appended since`,
	};
}

/** Of those that have an id: only they hold back readers. */
async function oldestTransaction(pool: PostgresPool) {
	const { rows } = await pool.query({
		text: `SELECT pid, floor(extract(epoch FROM clock_timestamp() - xact_start))::integer AS seconds FROM pg_stat_activity
			WHERE backend_xid IS NOT NULL AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1`,
	});
	return { pid: Number(rows[0]?.pid ?? 0), seconds: Number(rows[0]?.seconds ?? 0) };
}

function refused(message: string) {
	return storeFault("failed", message, { retryable: false });
}
