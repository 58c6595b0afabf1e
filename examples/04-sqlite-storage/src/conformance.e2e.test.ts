// The storage against its contract. `node:sqlite` is whole from Node 22.16 on, so on Node 20 all of this is skipped.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkpointStoreSuite, eventStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { describe, test } from "vitest";
import { hasSqlite } from "./has-sqlite.js";

async function createHarness() {
	const { createSqliteStores } = await import("./sqlite-stores.js");
	const folder = mkdtempSync(join(tmpdir(), "reelkeep-sqlite-"));
	const open = () => {
		const stores = createSqliteStores(join(folder, "events.sqlite"), Date);
		stores.open();
		return stores;
	};
	return { open, dispose: async () => rmSync(folder, { recursive: true }) };
}

if (hasSqlite) {
	const events = eventStoreSuite(async () => {
		const { open, dispose } = await createHarness();
		return { open: async () => open().events, dispose };
	});
	const checkpoints = checkpointStoreSuite(async () => {
		const { open, dispose } = await createHarness();
		let stores: ReturnType<typeof open> | undefined;
		const reopen = async () => {
			await stores?.events.close();
			stores = open();
			return stores.checkpoints;
		};
		return {
			open: reopen,
			reopen,
			dispose: async () => {
				await stores?.events.close();
				await dispose();
			},
		};
	});
	describeConformance("the SQLite event store", events);
	describeConformance("the SQLite checkpoint store", checkpoints, { skips: ["crash"] });
}

describe.runIf(hasSqlite)("two stores on one file, as two processes have them", () => {
	test("let one of two creations win, and give out positions in one order", async ({ expect }) => {
		const { open, dispose } = await createHarness();
		const [one, other] = [open().events, open().events];
		const event = (id: string) => ({ id, type: "Noted", schemaVersion: 1, data: {}, metadata: {} });
		expect(await one.append("a", [event("1")], "no-stream")).toMatchObject({
			_tag: "Appended",
			position: "1",
		});
		expect(await other.append("a", [event("2")], "no-stream")).toEqual({
			_tag: "WrongExpectedVersion",
			actualVersion: 1,
		});
		expect(await other.append("b", [event("3")], "no-stream")).toMatchObject({
			_tag: "Appended",
			position: "2",
		});
		const ids: string[] = [];
		for await (const { id } of one.readAll()) ids.push(id);
		expect(ids).toEqual(["1", "3"]);
		await one.close();
		await other.close();
		await dispose();
	});
});

test.skipIf(hasSqlite)("the SQLite storage is tested on Node 22.16 or newer only", (context) =>
	context.skip(`Node ${process.versions.node} has no node:sqlite that can do it`),
);
