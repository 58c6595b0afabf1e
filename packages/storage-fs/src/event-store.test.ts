import type { NewEvent } from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { expect, test } from "vitest";
import { createFsEventStore } from "./event-store.js";
import { scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import {
	clock,
	collect,
	idsOf,
	keepingLogger,
	newEvent,
	openStore,
	rejection,
	soleOwnership,
} from "./test-store.js";

const logger = transcribingLogger();

test("a store that is not open yet rejects with closed", async () => {
	const store = createFsEventStore({ directory: await temporaryDirectory(), clock, logger });
	expect(await rejection(store.append("s", [newEvent()], "any"))).toMatchObject({ reason: "closed" });
	expect(await rejection(collect(store.readAll()))).toMatchObject({ reason: "closed" });
	expect(await rejection(collect(store.read("s")))).toMatchObject({ reason: "closed" });
	await store.close();
	expect(await rejection(store.open())).toMatchObject({ reason: "closed" });
});

test("an append refuses arguments that no store can keep, and writes nothing", async () => {
	const store = await openStore(await temporaryDirectory());
	const good = newEvent();
	const refused: readonly [unknown, unknown, unknown, typeof TypeError | typeof RangeError][] = [
		[1, [good], "any", TypeError],
		["", [good], "any", RangeError],
		["é", [good], "any", RangeError],
		["x".repeat(129), [good], "any", RangeError],
		["s", good, "any", TypeError],
		["s", [], "any", RangeError],
		["s", Array.from({ length: 65 }, () => good), "any", RangeError],
		["s", [null], "any", TypeError],
		["s", [{ ...good, id: "" }], "any", TypeError],
		["s", [{ ...good, type: 1 }], "any", TypeError],
		["s", [{ ...good, schemaVersion: 0 }], "any", TypeError],
		["s", [{ ...good, data: [] }], "any", TypeError],
		["s", [{ ...good, data: new Date() }], "any", TypeError],
		["s", [{ ...good, metadata: undefined }], "any", TypeError],
		["s", [good], "none", TypeError],
		["s", [good], undefined, TypeError],
		["s", [good], -1, RangeError],
		["s", [good], 1.5, RangeError],
		["s", [good], Number.NaN, RangeError],
	];
	for (const [stream, events, expected, type] of refused) {
		const work = store.append(stream as string, events as NewEvent[], expected as "any");
		expect(await rejection(work)).toBeInstanceOf(type);
	}
	expect(await idsOf(store)).toEqual([]);
});

test("a store whose log cannot be opened gives its ownership up", async () => {
	const disk = scriptedDisk();
	disk.before = ({ operation }) => {
		if (operation === "rename") throw systemError("EROFS");
	};
	let released = 0;
	const ownership = {
		...soleOwnership,
		acquire: async () => ({
			publish: () => {},
			release: async () => {
				released += 1;
			},
		}),
	};
	const directory = await temporaryDirectory();
	const store = createFsEventStore({ directory, clock, logger, fileSystem: disk.fileSystem, ownership });
	const fault = await rejection(store.open());
	expect(fault).toMatchObject({ reason: "io", message: expect.stringContaining("EROFS") });
	expect(released).toBe(1);
	await store.close();
	expect(released).toBe(1);
});

test("a listener that throws stops neither the others nor the append", async () => {
	const { logger: keeping, said } = keepingLogger();
	const store = await openStore(await temporaryDirectory(), { logger: keeping });
	let heard = 0;
	store.onAppended(() => {
		throw new Error("a listener's own");
	});
	const stop = store.onAppended(() => {
		heard += 1;
	});
	await store.append("a", [newEvent()], "any");
	stop();
	await store.append("a", [newEvent()], "any");
	expect(heard).toBe(1);
	expect(said.map(({ level }) => level)).toEqual(["error", "error"]);
});

test("closing while opening ends with a closed store", async () => {
	const store = createFsEventStore({ directory: await temporaryDirectory(), clock, logger });
	const opening = store.open();
	await store.close();
	await opening;
	expect(await rejection(store.append("s", [newEvent()], "any"))).toMatchObject({ reason: "closed" });
});

test("streams of any ASCII name are kept apart", async () => {
	const directory = await temporaryDirectory();
	const names = ["__proto__", "a\0b", 'a"b', "a\\b", "a\nb", "a b", "../a", "\x7f"];
	const first = await openStore(directory);
	for (const name of names) await first.append(name, [newEvent(name)], "no-stream");
	await first.close();
	const second = await openStore(directory);
	for (const name of names) {
		const [event] = await collect(second.read(name));
		expect(event).toMatchObject({ stream: name, data: { note: name } });
	}
});
