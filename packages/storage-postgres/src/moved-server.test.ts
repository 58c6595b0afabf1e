// A log that is restored into another server, whose transaction ids are behind.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { comparePositions } from "@reelkeep/core/ports";
import { postgresPrograms, startPostgres } from "@reelkeep/harness/postgres";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { describe, expect, test } from "vitest";
import { adoptServer } from "./server.js";
import { idsOf, missing, newPool, newSchema, noted, openStore, useServer } from "./test-postgres.js";

const { server } = useServer();
const isPossible = missing === undefined && postgresPrograms() !== undefined;

describe.skipIf(!isPossible)("a log that moved to another server", () => {
	test("goes on behind the positions that are there", async () => {
		const schema = newSchema();
		const before = await openStore(server(), schema);
		await adoptServer(before.pool, schema, transcribingLogger());
		// The old server has seen more transactions than the new one will have.
		for (let index = 0; index < 2_000; index += 1) {
			await before.pool.query({ text: "SELECT pg_current_xact_id()" });
		}
		await before.store.append("a", [noted("1")], "no-stream");
		const last = await before.store.append("a", [noted("2")], 1);
		await before.end();

		const other = await startPostgres({ isOwn: true });
		try {
			const dump = execFileSync(
				join(postgresPrograms() ?? "", "pg_dump"),
				["--schema", schema, server().connectionString],
				{ maxBuffer: 1e9 },
			);
			execFileSync(join(postgresPrograms() ?? "", "psql"), ["-q", "-X", other.connectionString], {
				input: dump,
				stdio: ["pipe", "ignore", "inherit"],
			});
			const after = await openStore(other, schema);
			await adoptServer(after.pool, schema, transcribingLogger());
			const next = await after.store.append("a", [noted("3")], 2);
			if (last._tag !== "Appended" || next._tag !== "Appended") throw new Error("not appended");
			expect(comparePositions(next.position, last.position)).toBeGreaterThan(0);
			expect(await idsOf(after.store.readAll())).toEqual(["1", "2", "3"]);
			// Once more nothing is to be lifted.
			const offset = async () =>
				(await after.pool.query({ text: `SELECT transaction_offset FROM ${schema}.log` })).rows;
			const lifted = await offset();
			await adoptServer(after.pool, schema, transcribingLogger());
			expect(await offset()).toEqual(lifted);
			await after.end();
		} finally {
			await other.stop();
		}
	}, 60_000);

	test("begins without a word where there was none", async () => {
		const pool = newPool(server());
		const schema = newSchema();
		const opened = await openStore(server(), schema);
		const lines: string[] = [];
		const logger = transcribingLogger();
		await adoptServer(pool, schema, { ...logger, warn: (_, message) => void lines.push(message) });
		expect(lines).toEqual([]);
		await opened.end();
		await pool.end();
	});
});
