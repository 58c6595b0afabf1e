// Stores without a composition, as who moves a store opens them.

import { systemClock } from "@reelkeep/core/container";
import { toPosition } from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { describe, expect, onTestFinished, test } from "vitest";
import { openPostgresStores } from "./open-stores.js";
import { idsOf, missing, newPool, newSchema, noted, openStore, useServer } from "./test-postgres.js";

const { server } = useServer();

async function open(access: "read" | "write", schema: string) {
	const { connectionString } = server();
	const stores = await openPostgresStores({
		connectionString,
		schema,
		access,
		clock: systemClock,
		logger: transcribingLogger(),
	});
	onTestFinished(() => stores.close());
	return stores;
}

test("too few connections are refused", async () => {
	const opening = openPostgresStores({
		connectionString: "postgres://x",
		maxConnections: 1,
		access: "read",
		clock: systemClock,
		logger: transcribingLogger(),
	});
	await expect(opening).rejects.toThrow("maxConnections must be 2 or more");
});

describe.skipIf(missing !== undefined)("stores without a composition", () => {
	test("make nothing where they are to read only", async () => {
		const schema = newSchema();
		await expect(open("read", schema)).rejects.toMatchObject({ _tag: "StoreFault", reason: "failed" });
		const pool = newPool(server());
		const { rows } = await pool.query({ text: `SELECT to_regnamespace('${schema}') IS NULL AS absent` });
		await pool.end();
		expect(rows).toEqual([{ absent: true }]);
	});

	test("make the schema where they are to write, and list every checkpoint by its name", async () => {
		const schema = newSchema();
		const { checkpoints } = await open("write", schema);
		expect(await checkpoints.list()).toEqual([]);
		await checkpoints.save("billing", toPosition(2n ** 62n), undefined);
		await checkpoints.save("é\0\n\\", toPosition(0), undefined);
		const listed = await (await open("read", schema)).checkpoints.list();
		expect(new Map(listed.map(({ name, position }) => [name, position]))).toEqual(
			new Map([
				["billing", String(2n ** 62n)],
				["é\0\n\\", "0"],
			]),
		);
	});

	test("tell the last position also of what readers of the log do not see yet", async () => {
		const schema = newSchema();
		const opened = await openStore(server(), schema);
		onTestFinished(() => opened.end());
		const { events } = await open("read", schema);
		expect(await events.lastPosition()).toBeUndefined();
		await opened.store.append("a", [noted("a")], "any");
		const client = await opened.pool.connect();
		await client.query({ text: "BEGIN" });
		await opened.store.appendWithin(client, "slow", [noted("slow")], "no-stream");
		const later = await opened.store.append("later", [noted("later")], "any");
		expect(await idsOf(events.readAll())).toEqual(["a"]);
		expect(later).toMatchObject({ position: await events.lastPosition() });
		client.release(true);
	});
});
