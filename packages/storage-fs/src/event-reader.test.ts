import { appendFile, cp, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EventStore } from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { expect, onTestFinished, test } from "vitest";
import { type FsEventReaderOptions, openFsEventReader } from "./event-reader.js";
import type { OwnerConnection } from "./ownership.js";
import { createSocketOwnership } from "./socket-ownership.js";
import { gate, scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import {
	collect,
	forgetDurableNote,
	idsOf,
	LOG_FILE,
	logFile,
	newEvent,
	openStore,
	rejection,
	soleOwnership,
} from "./test-store.js";

async function openReader(options: FsEventReaderOptions) {
	const reader = await openFsEventReader({ logger: transcribingLogger(), ...options });
	onTestFinished(() => reader.close());
	return reader;
}

const owned = () => ({ ownership: createSocketOwnership() });

test("a directory without a store is refused in words that say what to do", async () => {
	const directory = await temporaryDirectory();
	for (const missing of [directory, join(directory, "absent")]) {
		const fault = await rejection(openFsEventReader({ directory: missing }));
		expect(fault).toMatchObject({ reason: "io", retryable: false });
		expect((fault as Error).message).toContain("no event store");
		expect((fault as Error).message).toContain("name the data directory");
	}
	expect(await rejection(stat(join(directory, "absent")))).toMatchObject({ code: "ENOENT" });
});

test("a reader refuses to append, and everything once it is closed", async () => {
	const directory = await temporaryDirectory();
	await openStore(directory, owned());
	const reader = await openReader({ directory });
	expect(await rejection(reader.append("s", [newEvent()], "any"))).toBeInstanceOf(TypeError);
	await reader.close();
	await reader.close();
	expect(await rejection(idsOf(reader))).toMatchObject({ reason: "closed" });
});

test("a reader that closes while it reads ends that with closed, with an owner and without", async () => {
	const directory = await temporaryDirectory();
	const store = await openStore(directory, owned());
	await store.append("s", [newEvent()], "any");
	for (const round of [1, 2]) {
		const reader = await openReader({ directory });
		const readings = Array.from({ length: 5 }, () => rejection(idsOf(reader)));
		await reader.close();
		for (const fault of await Promise.all(readings)) expect(fault).toMatchObject({ reason: "closed" });
		if (round === 1) await store.close();
	}
});

test("a reader beside a writer never sees what is not synced, and sees it afterwards", async () => {
	const directory = await temporaryDirectory();
	const disk = scriptedDisk();
	const store = await openStore(directory, { fileSystem: disk.fileSystem, ...owned() });
	await store.append("a", [newEvent("synced")], "any");
	const reader = await openReader({ directory });
	const stalled = gate();
	disk.before = ({ operation, path }) =>
		operation === "datasync" && path.endsWith(LOG_FILE) ? stalled.passed : undefined;
	const append = store.append("a", [newEvent("unsynced")], "any");
	while (!(await readFile(logFile(directory), "utf8")).includes("unsynced")) await new Promise(setImmediate);
	const second = await openReader({ directory });
	for (const one of [reader, second]) {
		expect((await idsOf(one)).length).toBe(1);
		expect((await collect(one.read("a"))).length).toBe(1);
		expect((await collect(one.readAll({ direction: "backward" }))).length).toBe(1);
	}
	const hinted = new Promise<void>((resolve) => reader.onAppended(resolve));
	stalled.open();
	await append;
	await hinted;
	expect((await collect(reader.read("a"))).map(({ version }) => version)).toEqual([1, 2]);
});

test("a reader beside a writer whose sync failed never sees what that lost", async () => {
	const directory = await temporaryDirectory();
	const disk = scriptedDisk();
	const store = await openStore(directory, { fileSystem: disk.fileSystem, ...owned() });
	await store.append("a", [newEvent()], "any");
	const reader = await openReader({ directory });
	disk.before = ({ operation, path }) => {
		if (operation === "datasync" && path.endsWith(LOG_FILE)) throw systemError("EIO");
	};
	expect(await rejection(store.append("a", [newEvent()], "any"))).toMatchObject({ reason: "failed" });
	expect((await idsOf(reader)).length).toBe(1);
	expect((await idsOf(await openReader({ directory }))).length).toBe(1);
});

test("a reader without an owner shows only what the log proves to be durable, and writes and syncs nothing", async () => {
	const directory = await temporaryDirectory();
	const store = await openStore(directory);
	for (const note of ["a", "b", "c"]) await store.append("s", [newEvent(note)], "any");
	// As a power cut leaves it: of the last batch nobody can tell.
	await expect.poll(() => readFile(join(directory, "events/durable"), "utf8")).toContain("0000000003 ");
	const image = await temporaryDirectory();
	await cp(directory, image, { recursive: true });
	expect((await idsOf(await openReader({ directory: image }))).length).toBe(3); // The process left a note.
	await forgetDurableNote(image);
	const disk = scriptedDisk();
	const reader = await openReader({ directory: image, fileSystem: disk.fileSystem });
	expect((await collect(reader.readAll())).map(({ data }) => data.note)).toEqual(["a", "b"]);
	expect((await collect(reader.read("s"))).length).toBe(2);
	const changes = disk.trace.filter(({ operation }) => ["write", "truncate", "datasync"].includes(operation));
	expect(changes).toEqual([]);
	// The next owner makes it durable; then it is seen, also when that owner has gone.
	const next = await openStore(image, owned());
	expect((await idsOf(reader)).length).toBe(3);
	await next.close();
	expect((await idsOf(reader)).length).toBe(3);
});

test("a reader that meets an owner only after its scan shows what that owner says is durable", async () => {
	const directory = await temporaryDirectory();
	const disk = scriptedDisk();
	const store = await openStore(directory, { fileSystem: disk.fileSystem });
	await store.append("a", [newEvent("synced")], "any");
	const durable = { segment: 1, bytes: (await stat(logFile(directory))).size, position: 1 };
	const stalled = gate();
	disk.before = ({ operation }) => (operation === "datasync" ? stalled.passed : undefined);
	const append = store.append("a", [newEvent("unsynced")], "any");
	while ((await stat(logFile(directory))).size === durable.bytes) await new Promise(setImmediate);
	let asked = 0;
	const connect = async (): Promise<OwnerConnection | undefined> => {
		asked += 1;
		if (asked === 1) return undefined;
		return {
			owner: { pid: 1, host: "h", startedAt: 1 },
			durable: async () => durable,
			isOpen: () => true,
			onChange: () => () => {},
			close: () => {},
		};
	};
	const reader = await openReader({ directory, ownership: { ...soleOwnership, connect } });
	expect((await collect(reader.readAll())).map(({ data }) => data)).toEqual([{ note: "synced" }]);
	stalled.open();
	await append;
});

test("a reader without an owner leaves a torn tail alone and unseen, and refuses damage", async () => {
	const directory = await temporaryDirectory();
	const store = await openStore(directory, owned());
	for (const stream of ["a", "b", "c"]) await store.append(stream, [newEvent(stream)], "any");
	await store.close();
	const whole = await readFile(logFile(directory));
	await appendFile(logFile(directory), '{"position":"4","rem');
	const torn = await readFile(logFile(directory));
	expect((await idsOf(await openReader({ directory }))).length).toBe(3);
	expect(await readFile(logFile(directory))).toEqual(torn);
	await writeFile(logFile(directory), whole.toString().replace('"note":"a"', '"note":"A"'));
	const fault = await rejection(async () => idsOf(await openReader({ directory })));
	expect(fault).toMatchObject({
		reason: "corrupt",
		message: expect.stringContaining("00000001.ndjson, byte"),
	});
});

test("a reader outlives owners: it goes on when one ends, another comes, or none is there", async () => {
	const directory = await temporaryDirectory();
	const first = await openStore(directory, owned());
	await first.append("a", [newEvent(1)], "any");
	const reader = await openReader({ directory });
	expect((await idsOf(reader)).length).toBe(1);
	await first.append("b", [newEvent(2)], "any");
	await first.close();
	expect((await idsOf(reader)).length).toBe(2);
	const second = await openStore(directory, owned());
	await second.append("a", [newEvent(3), newEvent(4)], 1);
	expect((await idsOf(reader)).length).toBe(4);
	await second.close();
	await Promise.all(Array.from({ length: 10 }, () => idsOf(reader)));
	expect((await collect(reader.read("a"))).map(({ version }) => version)).toEqual([1, 2, 3]);
});

test("many readers follow one writer without gaps", async () => {
	const directory = await temporaryDirectory();
	const store = await openStore(directory, owned());
	const readers = await Promise.all(Array.from({ length: 5 }, () => openReader({ directory })));
	const writing = Promise.all(
		Array.from({ length: 200 }, (_, at) => store.append(`s-${at}`, [newEvent(at)], "no-stream")),
	);
	for (let round = 0; round < 10; round += 1) {
		for (const reader of readers) {
			const seen = (await collect(reader.readAll())).map(({ position }) => Number(position));
			expect(seen).toEqual(seen.map((_, at) => at + 1));
		}
	}
	const [shared] = readers as [EventStore];
	await Promise.all(Array.from({ length: 50 }, () => idsOf(shared)));
	await writing;
	for (const reader of readers) expect((await idsOf(reader)).length).toBe(200);
});
