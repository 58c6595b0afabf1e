import { appendFile, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { isStoreFault } from "@reelkeep/core/ports";
import { describe, expect, test } from "vitest";
import { createFsEventStore } from "./event-store.js";
import { encodeHeader } from "./log-format.js";
import { scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import {
	clock,
	forgetDurableNote,
	idsOf,
	keepingLogger,
	LOG_FILE,
	logFile,
	newEvent,
	openStore,
	rejection,
	soleOwnership,
} from "./test-store.js";

const noteOf = (event: { readonly data: unknown }): unknown => (event.data as { note: unknown }).note;

async function notesOf(directory: string): Promise<readonly unknown[]> {
	const { logger, said } = keepingLogger();
	const store = await openStore(directory, { logger });
	const notes: unknown[] = [];
	for await (const event of store.readAll()) notes.push(noteOf(event));
	await store.close();
	expect(said.every(({ level }) => level === "warn" || level === "error")).toBe(true);
	return notes;
}

/** A log whose records were each synced by themselves, as left by a process that was killed. */
async function killedLog(directory: string, notes: readonly unknown[]): Promise<Buffer> {
	const store = await openStore(directory);
	for (const note of notes) await store.append(`s-${note}`, [newEvent(note)], "any");
	await forgetDurableNote(directory);
	return readFile(logFile(directory));
}

/** A sound header of another format. */
function headerOf(format: string): string {
	const text = encodeHeader({ segment: 1, firstPosition: 1 }).toString().replace('"format":1', format);
	const body = text.slice(0, text.indexOf(',"crc"'));
	return `${body},"crc":"${crc32(body).toString(16).padStart(8, "0")}"}`;
}

async function openRefused(directory: string): Promise<unknown> {
	const store = createFsEventStore({ directory, clock, ownership: soleOwnership });
	const fault = await rejection(store.open());
	await store.close();
	return fault;
}

describe("damage", () => {
	test("of any byte that a later record tells to have been durable is refused, with segment and byte", async () => {
		const directory = await temporaryDirectory();
		const log = await killedLog(directory, [1, 2, 3]);
		const header = log.indexOf("\n") + 1;
		const second = log.indexOf("\n", header) + 1;
		for (const at of [header + 5, header + 100, second - 10, second - 1]) {
			const damaged = Buffer.from(log);
			damaged[at] = (damaged[at] as number) ^ 1;
			await writeFile(logFile(directory), damaged);
			const fault = await openRefused(directory);
			expect(fault).toMatchObject({ reason: "corrupt", retryable: false });
			expect((fault as Error).message).toContain(`00000001.ndjson, byte ${header}`);
			expect(await readFile(logFile(directory))).toEqual(damaged);
		}
	});

	test("of the last event is refused when the log was closed whole, of another one once it is read", async () => {
		const directory = await temporaryDirectory();
		const store = await openStore(directory);
		await Promise.all([1, 2, 3].map((note) => store.append(`s-${note}`, [newEvent(note)], "any")));
		await store.close();
		const log = await readFile(logFile(directory));
		const damage = (at: number) => writeFile(logFile(directory), Buffer.from(log).fill("x", at, at + 1));
		await damage(log.indexOf("s-3"));
		expect(await openRefused(directory)).toMatchObject({ reason: "corrupt" });
		await damage(log.indexOf("s-1"));
		const reopened = await openStore(directory);
		expect(await rejection(idsOf(reopened))).toMatchObject({ reason: "corrupt" });
		expect(await rejection(reopened.append("s-4", [newEvent()], "any"))).toMatchObject({ reason: "corrupt" });
	});

	test("is a record that is missing, twice there, or in another's place", async () => {
		const directory = await temporaryDirectory();
		const log = await killedLog(directory, [1, 2, 3, 4]);
		const [header, one, two, three, four] = log
			.toString()
			.split("\n")
			.map((line) => `${line}\n`);
		for (const lines of [
			[header, one, three, four],
			[header, one, two, two, three, four],
			[header, one, three, two, four],
			[header, two, three, four],
		]) {
			await writeFile(logFile(directory), lines.join(""));
			expect(await openRefused(directory)).toMatchObject({ reason: "corrupt" });
		}
	});

	test("is a header of another format, another segment, or none", async () => {
		const directory = await temporaryDirectory();
		const log = (await killedLog(directory, [1])).toString();
		for (const [from, to, words] of [
			['"format":1', '"format":2', "header"],
			[log.slice(0, log.indexOf("\n")), headerOf('"format":2'), "format 2"],
			['"segment":1', '"segment":2', "header"],
			["{", "", "header"],
			[log, "", "header"],
		] as const) {
			await writeFile(logFile(directory), log.replace(from, to));
			const fault = await openRefused(directory);
			expect(fault).toMatchObject({ reason: "corrupt", message: expect.stringContaining(words) });
		}
	});

	test("is a segment that is missing, or one that begins elsewhere", async () => {
		const directory = await temporaryDirectory();
		await killedLog(directory, [1]);
		await writeFile(join(directory, "events/00000003.ndjson"), "");
		expect(await openRefused(directory)).toMatchObject({
			message: expect.stringContaining("segment 00000002.ndjson, byte 0: the file is missing"),
		});
		await rm(join(directory, "events/00000003.ndjson"));
		await writeFile(
			join(directory, "events/00000002.ndjson"),
			encodeHeader({ segment: 2, firstPosition: 5 }),
		);
		expect(await openRefused(directory)).toMatchObject({
			message: expect.stringContaining("00000001.ndjson, its end: the events at positions 2 to 4"),
		});
	});
});

describe("a torn tail", () => {
	test("is cut at every byte of the last record, and said", async () => {
		const directory = await temporaryDirectory();
		const log = await killedLog(directory, ["first", "last"]);
		const lastAt = log.lastIndexOf("\n", log.length - 2) + 1;
		for (let length = lastAt; length < log.length; length += 1) {
			await writeFile(logFile(directory), log.subarray(0, length));
			const { logger, said } = keepingLogger();
			const store = createFsEventStore({ directory, clock, logger, ownership: soleOwnership });
			await store.open();
			expect((await idsOf(store)).length).toBe(1);
			await store.close();
			expect((await stat(logFile(directory))).size).toBe(lastAt);
			const warnings = said.map(({ level, details }) => [level, details.bytesCut, details.offset]);
			expect(warnings).toEqual(length === lastAt ? [] : [["warn", length - lastAt, lastAt]]);
		}
	}, 20_000);

	test("takes an append of several events with it as a whole", async () => {
		const directory = await temporaryDirectory();
		const store = await openStore(directory);
		await store.append("a", [newEvent("kept")], "any");
		await store.append("b", [newEvent(1), newEvent(2), newEvent(3)], "any");
		await forgetDurableNote(directory);
		const log = await readFile(logFile(directory));
		const lines = log.toString().split("\n");
		for (const kept of [2, 3, 4]) {
			await writeFile(logFile(directory), `${lines.slice(0, kept).join("\n")}\n`);
			expect(await notesOf(directory)).toEqual(["kept"]);
		}
	});

	test("may have holes: what was not synced reaches the disk in any order", async () => {
		const directory = await temporaryDirectory();
		const store = await openStore(directory);
		await store.append("a", [newEvent("kept")], "any");
		await Promise.all([1, 2, 3].map((note) => store.append(`s-${note}`, [newEvent(note)], "any")));
		await forgetDurableNote(directory);
		const log = await readFile(logFile(directory));
		const hole = log.indexOf('"s-2"');
		log.fill(0, hole - 30, hole + 30);
		await writeFile(logFile(directory), log);
		expect(await notesOf(directory)).toEqual(["kept", 1]);
	});

	test("may be garbage, long and without any newline", async () => {
		const directory = await temporaryDirectory();
		await killedLog(directory, [1, 2]);
		await appendFile(logFile(directory), Buffer.alloc(9 * 2 ** 20));
		expect(await notesOf(directory)).toEqual([1, 2]);
		await appendFile(logFile(directory), "\n\n{}\nnull\n");
		expect(await notesOf(directory)).toEqual([1, 2]);
	});

	test("is none where the process was only killed: then even the last event is known to have been durable", async () => {
		const directory = await temporaryDirectory();
		const store = await openStore(directory);
		await store.append("a", [newEvent()], "any");
		await expect.poll(() => readFile(join(directory, "events/durable"), "utf8")).toContain("0000000001 ");
		const log = await readFile(logFile(directory));
		await writeFile(logFile(directory), log.subarray(0, -5));
		expect(await openRefused(directory)).toMatchObject({ reason: "corrupt" });
		await forgetDurableNote(directory);
		expect(await idsOf(await openStore(directory))).toEqual([]);
	});

	test("gives its positions to the next events", async () => {
		const directory = await temporaryDirectory();
		const log = await killedLog(directory, [1, 2]);
		await writeFile(logFile(directory), log.subarray(0, -1));
		const store = await openStore(directory);
		const result = await store.append("s-3", [newEvent(3)], "no-stream");
		expect(result).toEqual({ _tag: "Appended", version: 1, position: "2" });
	});
});

describe("opening", () => {
	test("makes durable again what a failed sync left in the page cache, before it serves it", async () => {
		const directory = await temporaryDirectory();
		const log = await killedLog(directory, [1, 2]);
		const lastAt = log.lastIndexOf("\n", log.length - 2) + 1;
		const disk = scriptedDisk();
		await openStore(directory, { fileSystem: disk.fileSystem });
		const calls = disk.trace.filter(({ path, phase }) => path.endsWith(LOG_FILE) && phase === "finished");
		const rewrite = calls.findIndex(({ operation, from }) => operation === "write" && from === lastAt);
		expect(calls[rewrite]?.to).toBe(log.length);
		expect(calls.findIndex(({ operation }) => operation === "datasync")).toBeGreaterThan(rewrite);
		expect(rewrite).not.toBe(-1);
	});

	test("fails when what it found cannot be made durable, and serves nothing", async () => {
		const directory = await temporaryDirectory();
		await killedLog(directory, [1]);
		const disk = scriptedDisk();
		disk.before = ({ operation, path }) => {
			if (operation === "datasync" && path.endsWith(LOG_FILE)) throw systemError("EIO");
		};
		const store = createFsEventStore({
			directory,
			clock,
			fileSystem: disk.fileSystem,
			ownership: soleOwnership,
		});
		expect(await rejection(store.open())).toMatchObject({ reason: "io" });
		const fault = await rejection(idsOf(store));
		expect(isStoreFault(fault) && fault.reason).toBe("closed");
	});

	test("syncs every directory whose names it added", async () => {
		const directory = join(await temporaryDirectory(), "deep", "data");
		const disk = scriptedDisk();
		await openStore(directory, { fileSystem: disk.fileSystem });
		const synced = disk.trace.flatMap(({ operation, phase, path }) =>
			operation === "syncDirectory" && phase === "finished" ? [path] : [],
		);
		for (const path of [
			join(directory, "..", ".."),
			join(directory, ".."),
			directory,
			join(directory, "events"),
		]) {
			expect(synced).toContain(path);
		}
		const created = disk.trace.findIndex(
			({ operation, path }) => operation === "rename" && path.endsWith(LOG_FILE),
		);
		expect(
			disk.trace.findIndex(
				({ operation, path }, at) => at > created && operation === "syncDirectory" && path.endsWith("events"),
			),
		).toBeGreaterThan(created);
	});

	test("syncs the directories again that a crash may have left unsynced", async () => {
		const directory = await temporaryDirectory();
		await (await openStore(directory)).close();
		const disk = scriptedDisk();
		await openStore(directory, { fileSystem: disk.fileSystem });
		const synced = disk.trace.filter(
			({ operation, phase }) => operation === "syncDirectory" && phase === "finished",
		);
		const paths = synced.map(({ path }) => path);
		expect(paths).toContain("/");
		expect(paths.filter((path) => path !== "/").slice(-3)).toEqual([
			join(directory, ".."),
			directory,
			join(directory, "events"),
		]);
	});

	test("keeps files and directories to their owner", async () => {
		const directory = join(await temporaryDirectory(), "data");
		const store = await openStore(directory);
		await store.close();
		const modeOf = async (path: string) => ((await stat(join(directory, path))).mode & 0o777).toString(8);
		expect(await Promise.all([".", "events"].map(modeOf))).toEqual(["700", "700"]);
		expect(await Promise.all([LOG_FILE, "events/00000001.index"].map(modeOf))).toEqual(["600", "600"]);
	});

	test("refuses a backup that was cut short before it had a log", async () => {
		const directory = await temporaryDirectory();
		await writeFile(join(directory, "backup.partial.json"), "{}");
		expect(await openRefused(directory)).toMatchObject({
			reason: "io",
			message: expect.stringContaining("run the same backup again"),
		});
	});

	test("again gives the same events, and goes on behind them", async () => {
		const directory = await temporaryDirectory();
		const first = await openStore(directory);
		await first.append("a", [newEvent({ deep: ["游戏", 1.5, null] }), newEvent("\ud800")], "no-stream");
		for (let at = 0; at < 20; at += 1) await first.append(`s-${at}`, [newEvent("x".repeat(20_000))], "any");
		const before = await idsOf(first);
		await first.close();
		const second = await openStore(directory);
		expect(await idsOf(second)).toEqual(before);
		expect(await second.append("a", [newEvent()], 2)).toMatchObject({ version: 3, position: "23" });
	});

	test("does without an index file that makes no sense, and removes what an earlier version left", async () => {
		const directory = await temporaryDirectory();
		await killedLog(directory, [1, 2]);
		const index = join(directory, "events/00000001.index");
		await writeFile(join(directory, "events/synced.json"), "{}");
		for (const content of ["", "null", "{}", "\0\0\0", Buffer.alloc(5000)]) {
			await writeFile(index, content);
			expect(await notesOf(directory)).toEqual([1, 2]);
			expect((await stat(index)).size).toBe(256 + 2 * 13);
		}
		expect((await readdir(join(directory, "events"))).sort()).toEqual(["00000001.index", "00000001.ndjson"]);
	});
});
