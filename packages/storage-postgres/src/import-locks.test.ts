// Imports of several processes: one at a time goes on, and none waits for ever.

import { setTimeout as pause } from "node:timers/promises";
import { toPosition } from "@reelkeep/core/ports";
import { describe, expect, test } from "vitest";
import { idsOf, missing, newSchema, noted, openStore, useServer } from "./test-postgres.js";

const { server } = useServer();
const recorded = (id: string) => ({
	...noted(id),
	stream: id,
	version: 1,
	position: toPosition(1),
	recordedAt: 1,
});

async function given() {
	const schema = newSchema();
	const { store, pool, end } = await openStore(server(), schema);
	const client = await pool.connect();
	await client.query({ text: "BEGIN" });
	await client.query({ text: `SELECT 1 FROM ${schema}.log FOR UPDATE` });
	return {
		store,
		client,
		async end() {
			client.release(true);
			await end();
		},
	};
}

describe.skipIf(missing !== undefined)("an import", () => {
	test("rejects with a fault that passes when another transaction holds the log for long", async () => {
		const { store, end } = await given();
		await expect(store.importEvents([recorded("a")], undefined)).rejects.toMatchObject({
			_tag: "StoreFault",
			retryable: true,
			message: expect.stringContaining("a transaction that stays open"),
		});
		expect(await idsOf(store.readAll())).toEqual([]);
		await end();
	});

	test("waits for the one before it, while appends do not", async () => {
		const { store, client, end } = await given();
		const waiting = store.importEvents([recorded("a")], undefined);
		await pause(100);
		expect((await store.append("mine", [noted("mine")], "no-stream"))._tag).toBe("Appended");
		await client.query({ text: "COMMIT" });
		// Somebody appended meanwhile: the log does not end where the import should begin.
		expect(await waiting).toEqual({ _tag: "WrongEnd" });
		expect(await idsOf(store.readAll())).toEqual(["mine"]);
		await end();
	});

	test("leaves no listeners on its connections", async () => {
		const { store, client, end } = await given();
		await client.query({ text: "COMMIT" });
		const warnings: Error[] = [];
		const warn = (warning: Error): void => void warnings.push(warning);
		process.on("warning", warn);
		let after: ReturnType<typeof toPosition> | undefined;
		for (let at = 0; at < 30; at += 1) {
			const result = await store.importEvents([recorded(`event-${at}`)], after);
			if (result._tag !== "Imported") throw new Error(result._tag);
			after = result.positions[0];
		}
		await pause(10);
		process.off("warning", warn);
		expect(warnings).toEqual([]);
		await end();
	});
});
