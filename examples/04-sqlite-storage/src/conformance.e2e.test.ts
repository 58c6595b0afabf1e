// The storage against its contract. `node:sqlite` is whole from Node 22.16 on, so on Node 20 all of this is skipped.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventStoreSuite } from "@reelkeep/core/conformance";
import { toPosition } from "@reelkeep/core/ports";
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

const cases = eventStoreSuite(async () => {
	const { open, dispose } = await createHarness();
	return { open: async () => open().events, dispose };
});

describe.runIf(hasSqlite)("the SQLite event store", { timeout: 60_000 }, () => {
	for (const { clause, name, run } of cases) {
		test(`${clause}: ${name}`, async ({ expect }) => expect(await run()).toBe("passed"));
	}
});

describe.runIf(hasSqlite)("the SQLite checkpoint store", () => {
	test("moves a checkpoint forward only, from where its owner believes it to be, and keeps it", async ({
		expect,
	}) => {
		const { open, dispose } = await createHarness();
		const { checkpoints, events } = open();
		await expect(checkpoints.save("mail", toPosition(7), toPosition(1))).resolves.toEqual({
			_tag: "WrongCheckpoint",
			actual: undefined,
		});
		expect(await checkpoints.save("mail", toPosition(7), undefined)).toEqual({ _tag: "Saved" });
		await expect(checkpoints.save("mail", toPosition(6), toPosition(7))).rejects.toThrow(RangeError);
		for (const name of ["mai", "\ud800", "\ud801", "mail\0"])
			expect(await checkpoints.load(name)).toBe(undefined);
		await checkpoints.save("\ud800", toPosition(1), undefined);
		expect(await checkpoints.load("\ud801")).toBe(undefined);
		await events.close();
		await expect(checkpoints.load("mail")).rejects.toMatchObject({ _tag: "StoreFault", reason: "closed" });
		const reopened = open();
		expect(await reopened.checkpoints.load("mail")).toBe("7");
		await reopened.events.close();
		await dispose();
	});
});

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
