import { access, cp, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isStoreFault } from "@reelkeep/core/ports";
import { describe, expect, test } from "vitest";
import {
	copyOfDirectory,
	type DiskCall,
	gate,
	type ScriptedDisk,
	scriptedDisk,
	systemError,
	temporaryDirectory,
	unsyncedDisk,
} from "./test-disk.js";
import {
	appendNoted,
	collect,
	countSegmentFiles,
	expectNoted,
	indexFile,
	type Notes,
	newEvent,
	noted,
	openStore,
	rejection,
} from "./test-store.js";

const small = { segmentBytes: 1024 };

/** A store whose segment is full, so that the next append begins another one. */
async function fullSegment() {
	const directory = await temporaryDirectory();
	const disk = scriptedDisk(unsyncedDisk());
	const store = await openStore(directory, { ...small, fileSystem: disk.fileSystem });
	const notes: Notes = [];
	for (const stream of ["a", "b", "a"]) {
		await appendNoted(store, notes, stream, [newEvent(), newEvent()]);
	}
	expect(await countSegmentFiles(directory)).toBe(1);
	/** The batch that begins the next segment; resolves with what it was told. */
	const roll = () =>
		Promise.all(
			["c", "d"].map((stream) => rejection(appendNoted(store, notes, stream, [newEvent(), newEvent()]))),
		);
	return { directory, disk, store, notes, roll };
}

/** What writing does with the log; index files, which are saved meanwhile, are another matter. */
function isWriting({ operation, path }: DiskCall): boolean {
	return operation !== "read" && operation !== "status" && /\.ndjson(\.new)?$|\/events$/.test(path);
}

async function stepsOfRoll(): Promise<readonly string[]> {
	const { disk, roll } = await fullSegment();
	const before = disk.trace.length;
	expect(await roll()).toEqual([undefined, undefined]);
	return disk.trace
		.slice(before)
		.filter((entry) => entry.phase === "started" && isWriting(entry))
		.map(({ operation, path }) => `${operation} ${basename(path)}`);
}

test("a step to the next segment makes it durable under its name before anything is written into it", async () => {
	const steps = await stepsOfRoll();
	const [next, added] = ["00000002.ndjson", "00000002.ndjson.new"];
	expect(steps.slice(0, 8)).toEqual([
		`open ${added}`,
		`write ${added}`,
		`datasync ${added}`,
		`close ${added}`,
		`rename ${next}`,
		"syncDirectory events",
		`open ${next}`,
		"close 00000001.ndjson",
	]);
	expect(steps.filter((step) => step.endsWith(next)).slice(2)).toEqual([`write ${next}`, `datasync ${next}`]);
});

type Failing = "before it is done" | "after it is done" | "and everything behind it";

/** Lets the step with this number fail, and says what ends that. */
function failAt(disk: ScriptedDisk, step: number, failing: Failing, code: string): () => void {
	let calls = 0;
	const fail = (call: DiskCall): void => {
		if (!isWriting(call)) return;
		calls += 1;
		if (calls === step || (calls > step && failing === "and everything behind it")) throw systemError(code);
	};
	if (failing === "after it is done") disk.after = fail;
	else disk.before = fail;
	return () => {
		disk.before = () => {};
		disk.after = () => {};
	};
}

describe("a step to the next segment that fails", () => {
	for (const failing of ["before it is done", "after it is done", "and everything behind it"] as const) {
		test(`${failing} loses nothing that was acknowledged, and the log goes on`, async () => {
			const steps = await stepsOfRoll();
			expect(steps.length).toBeGreaterThanOrEqual(10);
			const code = failing === "before it is done" ? "ENOSPC" : "EIO";
			for (const [at, step] of steps.entries()) {
				const { directory, disk, store, notes, roll } = await fullSegment();
				const stop = failAt(disk, at + 1, failing, code);
				for (const fault of await roll()) {
					if (fault === undefined) continue;
					expect(isStoreFault(fault) && ["io", "failed"].includes(fault.reason), step).toBe(true);
				}
				await expectNoted(store, notes);
				const image = await copyOfDirectory(directory);
				// What was not finished is gone again, unless that failed too.
				if (store.failure() === undefined && at < steps.indexOf("close 00000001.ndjson")) {
					expect((await readdir(join(image, "events"))).sort(), step).toEqual(["00000001.ndjson", "durable"]);
				}
				stop();
				while (store.failure() !== undefined) await sleep(1);
				expect(await roll()).toEqual([undefined, undefined]);
				await expectNoted(store, notes);
				await appendNoted(store, notes, "a", [newEvent("x".repeat(1000))]);
				await appendNoted(store, notes, "b", [newEvent()]);
				await store.close();
				const reopened = await openStore(directory, { ...small, fileSystem: unsyncedDisk() });
				await expectNoted(reopened, notes);
				await openImage(image, notes.slice(0, 6));
			}
		});
	}
});

/** What a crash has left opens, holds what was acknowledged before it and at most the appends under way, and goes on. */
async function openImage(image: string, acknowledged: Notes): Promise<void> {
	const store = await openStore(image, { ...small, fileSystem: unsyncedDisk() });
	const notes = (await collect(store.readAll())).map(noted);
	expect(notes.slice(0, acknowledged.length)).toEqual(acknowledged);
	expect(notes.slice(acknowledged.length).map(({ stream, version }) => stream + version)).toEqual(
		["c1", "c2", "d1", "d2"].slice(0, notes.length - acknowledged.length),
	);
	expect((notes.length - acknowledged.length) % 2).toBe(0);
	await appendNoted(store, notes, "a", [newEvent()]);
	await appendNoted(store, notes, "e", [newEvent("x".repeat(1000))]);
	await appendNoted(store, notes, "e", [newEvent()]);
	await expectNoted(store, notes);
	await store.close();
	await expectNoted(await openStore(image, { ...small, fileSystem: unsyncedDisk() }), notes);
}

test("a crash at any step to the next segment leaves a log that opens, whole, and goes on", async () => {
	const { directory, disk, notes, roll } = await fullSegment();
	const images: { readonly image: string; readonly acknowledged: Notes }[] = [];
	const home = await temporaryDirectory();
	// One call at a time, so that a copy is what a crash at one moment would leave.
	let free = Promise.resolve();
	let leave = () => {};
	disk.before = async () => {
		const { passed, open } = gate();
		const turn = free;
		free = passed;
		await turn;
		leave = open;
		const image = join(home, String(images.length));
		images.push({ image, acknowledged: [...notes] });
		await cp(directory, image, { recursive: true });
	};
	disk.after = () => leave();
	expect(await roll()).toEqual([undefined, undefined]);
	while ((await rejection(access(indexFile(directory, 1)))) !== undefined) await sleep(1);
	disk.before = () => {};
	await free;
	for (const { image, acknowledged } of images) await openImage(image, acknowledged);
	expect(new Set(images.map(({ acknowledged }) => acknowledged.length))).toEqual(new Set([6, 10]));
});
