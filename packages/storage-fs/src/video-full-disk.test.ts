// Uploads whose disk is full, or fails, at any step: what is known to be sound is gone on with, unless a sync failed.

import { randomBytes } from "node:crypto";
import type { VideoStore } from "@reelkeep/core/ports";
import { describe, expect, test, vi } from "vitest";
import {
	copyOfDirectory,
	type DiskCall,
	type ScriptedDisk,
	scriptedDisk,
	systemError,
	temporaryDirectory,
} from "./test-disk.js";
import { rejection } from "./test-store.js";
import { filesOf, sha256, startVideos, upload } from "./test-videos.js";

const VIDEO = randomBytes(800_000);
const HELD = 500_000;
const NEVER = { bytes: Number.MAX_SAFE_INTEGER, ms: 3_600_000 };
const ALWAYS = { bytes: 1, ms: 0 };

/** A store on a disk of which `fail` makes calls fail, until `heal`. */
async function startFailing(markInterval = NEVER) {
	const directory = await temporaryDirectory();
	const disk = scriptedDisk();
	const store = await startVideos(directory, disk, { markInterval });
	const fail = (operation: DiskCall["operation"], ending = "", code = "ENOSPC"): void => {
		disk.before = (call) => {
			if (call.operation === operation && call.path.endsWith(ending)) throw systemError(code);
		};
	};
	const heal = (): void => {
		disk.before = () => {};
		disk.after = () => {};
	};
	return { directory, disk, store, fail, heal };
}

function openFiles({ trace }: ScriptedDisk): number {
	const count = (operation: string) =>
		trace.filter((entry) => entry.operation === operation && entry.phase === "finished").length;
	return count("open") - count("close");
}

async function resume(store: VideoStore) {
	const { resumeToken } = (await store.findPartial("k")) ?? { resumeToken: "" };
	return store.begin("k", { resume: { resumeToken } });
}

/** An upload that goes on with what an earlier one has held. */
async function holding(store: VideoStore) {
	await (await upload(await store.begin("k", { note: "n" }), VIDEO.subarray(0, HELD))).suspend();
	return resume(store);
}

const heldBy = async (store: VideoStore) => (await store.findPartial("k"))?.bytes;

/** So many bytes are held, `later` of them for the next process, and go on to the whole video. */
async function expectHeld(store: VideoStore, directory: string, bytes: number, later = bytes): Promise<void> {
	expect(await heldBy(store)).toBe(bytes);
	const next = await copyOfDirectory(directory);
	for (const [each, held] of [[store, bytes] as const, [await startVideos(next), later] as const]) {
		const work = await resume(each);
		expect(work.offset).toBe(held);
		await upload(work, VIDEO.subarray(held));
		expect((await work.commit()).video).toMatchObject({ bytes: VIDEO.length, sha256: sha256(VIDEO) });
	}
	expect([(await filesOf(directory)).length, (await filesOf(next)).length]).toEqual([1, 1]);
}

async function expectNothingLeft(store: VideoStore, directory: string): Promise<void> {
	expect([await heldBy(store), await filesOf(directory)]).toEqual([undefined, []]);
}

describe("an upload whose write fails", () => {
	test("is gone on with behind what was written before", async () => {
		const { directory, store, fail, heal } = await startFailing();
		const work = await holding(store);
		await work.write(VIDEO.subarray(HELD, HELD + 1000));
		fail("write", ".part");
		expect(await rejection(work.write(VIDEO.subarray(HELD + 1000)))).toMatchObject({ reason: "io" });
		heal();
		await work.suspend();
		await expectHeld(store, directory, HELD + 1000);
	});

	test("goes on from its last mark when there is no room for another one", async () => {
		const { directory, store, fail, heal } = await startFailing();
		const work = await holding(store);
		await work.write(VIDEO.subarray(HELD, HELD + 1000));
		fail("write");
		await rejection(work.write(VIDEO.subarray(HELD + 1000)));
		expect(await rejection(work.suspend())).toMatchObject({ reason: "io" });
		heal();
		await expectHeld(store, directory, HELD);
	});

	test("leaves nothing when nothing of it is marked or can be", async () => {
		const { directory, store, fail, heal } = await startFailing();
		const work = await upload(await store.begin("k", { note: "n" }), VIDEO);
		fail("write");
		await rejection(work.write(VIDEO));
		expect(await rejection(work.suspend())).toMatchObject({ reason: "io" });
		heal();
		await expectNothingLeft(store, directory);
	});
});

describe("an upload whose commit fails", () => {
	test.each(["makeDirectory", "link"] as const)("in %s is gone on with as a whole", async (failing) => {
		const { directory, store, fail, heal } = await startFailing();
		const work = await upload(await store.begin("k", { note: "n" }), VIDEO);
		fail(failing);
		expect(await rejection(work.commit())).toMatchObject({ reason: "io" });
		heal();
		await work.suspend();
		await expectHeld(store, directory, VIDEO.length);
	});

	test("in its sync leaves nothing, marked or not: a second sync would not tell", async () => {
		const { directory, store, fail, heal } = await startFailing();
		const work = await upload(await holding(store), VIDEO.subarray(HELD));
		fail("datasync", ".part", "EIO");
		expect(await rejection(work.commit())).toMatchObject({ reason: "io" });
		heal();
		await work.suspend();
		await expectNothingLeft(store, directory);
	});

	test.each(["is told to have failed", "is not synced"])(
		"is not gone on with when its final name is there and %s: the bytes are one file",
		async (what) => {
			const { directory, disk, store, fail, heal } = await startFailing();
			const work = await upload(await holding(store), VIDEO.subarray(HELD));
			disk.after = ({ operation }) => {
				if (operation !== "link") return;
				if (what === "is not synced") fail("syncDirectory", "", "EIO");
				else throw systemError("EIO");
			};
			expect(await rejection(work.commit())).toMatchObject({ reason: "io" });
			heal();
			await work.suspend();
			expect(await heldBy(store)).toBeUndefined();
			expect(await store.stat("k")).toMatchObject({ bytes: VIDEO.length, sha256: sha256(VIDEO) });
			expect((await filesOf(directory)).length).toBe(1);
		},
	);
});

describe("a suspend that fails", () => {
	test.each([
		["open", undefined],
		["write", HELD],
		// Its line is there, and of bytes that were synced.
		["datasync", HELD, HELD + 1000],
	] as const)(
		"in the %s of its note leaves no descriptor, and what was marked before",
		async (failing, held, later = held) => {
			const { directory, disk, store, fail, heal } = await startFailing();
			const work = held === undefined ? await store.begin("k", { note: "n" }) : await holding(store);
			await upload(work, VIDEO.subarray(work.offset, work.offset + 1000));
			fail(failing, ".note");
			expect(await rejection(work.suspend())).toMatchObject({ reason: "io" });
			heal();
			expect(openFiles(disk)).toBe(0);
			await work.suspend();
			if (held === undefined) await expectNothingLeft(store, directory);
			else await expectHeld(store, directory, held, later);
		},
	);

	test("in the sync of its bytes leaves nothing, and no descriptor", async () => {
		const { directory, disk, store, fail, heal } = await startFailing();
		const work = await upload(await holding(store), VIDEO.subarray(HELD));
		fail("datasync", ".part", "EIO");
		expect(await rejection(work.suspend())).toMatchObject({ reason: "io" });
		heal();
		expect(openFiles(disk)).toBe(0);
		await expectNothingLeft(store, directory);
	});
});

describe("a mark in the background that fails", () => {
	test.each([
		["write", ".note", HELD],
		["datasync", ".part", undefined],
	] as const)("in %s of a %s ends the upload, which goes on from %s", async (failing, ending, held) => {
		const { directory, store, fail, heal } = await startFailing(ALWAYS);
		const work = await holding(store);
		fail(failing, ending);
		await vi.waitFor(async () => {
			expect(await rejection(work.write(Buffer.alloc(1)))).toMatchObject({ reason: "io" });
		});
		heal();
		await work.suspend();
		if (held === undefined) await expectNothingLeft(store, directory);
		else await expectHeld(store, directory, held);
	});
});
