// The videos of a copy, against the port: whatever keeps them on either side.

import { createMemoryEventStore, createMemoryVideoStore, lastPosition } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import { type EventStore, type NewEvent, storeFault, type VideoStore } from "@reelkeep/core/ports";
import { expect, test } from "vitest";
import { createCopyProgress } from "./copy-progress.js";
import { copyVideos, type VideoCopyDeps } from "./copy-videos.js";

let serial = 0;
const event = (type: string, data: NewEvent["data"]): NewEvent => {
	serial += 1;
	return { id: `event-${serial}`, type, schemaVersion: 1, data, metadata: {} };
};

async function keep(videos: VideoStore, key: string, text: string) {
	const upload = await videos.begin(key);
	await upload.write(new TextEncoder().encode(text));
	return (await upload.commit()).video;
}

async function archive(events: EventStore, videos: VideoStore, key: string, text = `video ${key}`) {
	const receipt = { ...(await keep(videos, key, text)), lengthVerified: true };
	await events.append(key, [event("RecordingArchived", { receipt, attempts: 1, adopted: false })], "any");
	return receipt;
}

function given() {
	const stopping = new AbortController();
	const events = createMemoryEventStore({ clock: systemClock });
	const from = createMemoryVideoStore();
	const to = createMemoryVideoStore();
	const copy = async (more: Partial<VideoCopyDeps> = {}) =>
		copyVideos({
			events,
			from,
			to,
			end: await lastPosition(events),
			known: undefined,
			progress: createCopyProgress({ apply: () => undefined }, stopping.signal),
			signal: stopping.signal,
			...more,
		});
	return { events, from, to, copy, stopping };
}

test("a destination that cannot be written ends the copy", async () => {
	const { events, from, to, copy } = given();
	for (const key of ["a", "b", "c", "d", "e", "f"]) await archive(events, from, key);
	const full: VideoStore = {
		...to,
		async begin(key, options) {
			const upload = await to.begin(key, options);
			const write = async () => {
				throw storeFault("io", "the disk is full");
			};
			return { ...upload, write };
		},
	};
	await expect(copy({ to: full })).rejects.toThrow("the disk is full");
	expect(await to.stat("a")).toBeUndefined();
});

test("an abort ends the copy, and leaves nothing half-written", async () => {
	const { events, from, to, copy, stopping } = given();
	await archive(events, from, "a");
	stopping.abort("SIGTERM");
	await expect(copy()).rejects.toBe("SIGTERM");
	expect(await to.stat("a")).toBeUndefined();
});

test("a source that lacks one is told of, and the others are copied", async () => {
	const { events, from, to, copy } = given();
	const { location } = await archive(events, from, "a");
	await archive(events, from, "b");
	await from.remove(location);
	const report = await copy();
	expect(report).toMatchObject({ archived: 2, copied: 1, lacking: 1 });
	expect(report.problems).toEqual([
		{ stream: "a", location, problem: "unreadable", message: expect.any(String) },
	]);
	expect(await to.stat("b")).toBeDefined();
});

test("a source with other bytes than the log says gives nothing to the copy", async () => {
	const { events, from, to, copy } = given();
	const receipt = await archive(events, from, "a");
	await from.remove(receipt.location);
	await keep(from, "a", "other bytes");
	expect(await copy()).toMatchObject({ lacking: 1, problems: [{ problem: "damaged" }] });
	expect(await to.stat("a")).toBeUndefined();
});

test("only what rests archived is copied, and each recording once", async () => {
	const { events, from, to, copy } = given();
	const removed = await archive(events, from, "removed");
	const data = { location: removed.location, cause: "missing" };
	await events.append("removed", [event("VideoRemoved", data)], "any");
	await archive(events, from, "twice");
	await events.append("twice", [event("VideoRemoved", {})], "any");
	await archive(events, from, "twice");
	await events.append("strange", [event("RecordingArchived", { receipt: "none" })], "any");
	expect(await copy()).toMatchObject({ archived: 1, copied: 1, lacking: 0 });
	expect(await to.stat("removed")).toBeUndefined();
});

test("what is behind the end waits for the next run", async () => {
	const { events, from, to, copy } = given();
	await archive(events, from, "a");
	const end = await lastPosition(events);
	await archive(events, from, "b");
	expect(await copy({ end })).toMatchObject({ archived: 1, copied: 1 });
	expect(await to.stat("b")).toBeUndefined();
	expect(await copy({ known: end })).toMatchObject({ archived: 2, copied: 1 });
});

test("a video of events that the copy has is not read again, unless it is too short or too long", async () => {
	const { events, from, to, copy } = given();
	const receipt = await archive(events, from, "a");
	await copy();
	const known = await lastPosition(events);
	let reads = 0;
	const counting: VideoStore = {
		...to,
		stat(key) {
			reads += 1;
			return to.stat(key);
		},
	};
	expect(await copy({ to: counting, known })).toMatchObject({ archived: 1, copied: 0, lacking: 0 });
	expect(reads).toBe(0);
	expect(await copy({ to: counting })).toMatchObject({ archived: 1, copied: 0, lacking: 0 });
	expect(reads).toBe(1);
	for (const wrong of ["short", "longer than what it was when it was kept"]) {
		await to.remove(receipt.location);
		await keep(to, "a", wrong);
		expect(await copy({ known })).toMatchObject({ lacking: 1, problems: [{ problem: "other" }] });
	}
});
