import type { ArchiveProgress, Notice } from "@reelkeep/core/ports";
import { createFakeClock, type FakeClock } from "@reelkeep/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { createDownloadProgress, type DownloadProgress } from "./download-progress.js";

let clock: FakeClock;
let heard: ArchiveProgress[];
let progress: DownloadProgress;

beforeEach(() => {
	clock = createFakeClock();
	heard = [];
	const emit = (notice: Notice): void => {
		if (notice.type === "archiveProgress") heard.push(notice);
	};
	const pending = {
		stream: "recording-a",
		host: "bucket.aliyuncs.com",
		deadline: clock.now(),
		newestLink: "fingerprint",
		attempts: 0,
		refusals: 0,
		metadata: {},
	};
	progress = createDownloadProgress({ notices: { emit }, clock }, pending);
});

/** `bytes` come every `everyMs`, so many times. */
async function receive(times: number, { bytes = 100, everyMs = 100 } = {}): Promise<void> {
	for (let at = 0; at < times; at += 1) {
		await clock.advance(everyMs);
		progress.received(bytes);
	}
}

describe("the progress of a download", () => {
	it("begins with what is held already, goes on, and ends with what came of it", async () => {
		progress.opened({ totalBytes: 2_000, heldBytes: 500 });
		await receive(15);
		progress.ended("archived");
		const common = { type: "archiveProgress", stream: "recording-a", host: "bucket.aliyuncs.com" };
		expect(heard[0]).toEqual({
			...common,
			phase: "started",
			bytes: 500,
			totalBytes: 2_000,
			bytesPerSecond: 0,
		});
		expect(heard.at(-1)).toEqual({
			...common,
			phase: "ended",
			bytes: 2_000,
			totalBytes: 2_000,
			bytesPerSecond: 1_000,
			remainingMs: 0,
			outcome: "archived",
		});
		expect(heard.slice(1, -1).every(({ phase }) => phase === "running")).toBe(true);
	});

	it("is told every quarter of a second, and not for each chunk", async () => {
		progress.opened({ totalBytes: 100_000, heldBytes: 0 });
		await receive(1_000, { bytes: 10, everyMs: 1 });
		expect(heard.map(({ bytes }) => bytes)).toEqual([0, 2_500, 5_000, 7_500, 10_000]);
	});

	it("says how long it still takes at this pace", async () => {
		progress.opened({ totalBytes: 10_000, heldBytes: 1_000 });
		await receive(30);
		const running = heard.filter(({ phase }) => phase === "running");
		for (const { bytes, bytesPerSecond, remainingMs } of running) {
			expect(bytesPerSecond).toBe(1_000);
			expect(remainingMs).toBe(10_000 - bytes);
		}
		expect(running.length).toBeGreaterThan(5);
	});

	it("follows a pace that changes within seconds, and smoothly", async () => {
		progress.opened({ totalBytes: 1_000_000, heldBytes: 0 });
		await receive(20);
		await receive(200, { bytes: 1_000 });
		const paces = heard
			.filter(({ phase }) => phase === "running")
			.map(({ bytesPerSecond }) => bytesPerSecond);
		expect(paces).toEqual([...paces].sort((left, right) => left - right));
		expect(paces.at(-1)).toBeGreaterThan(9_900);
		expect(paces.at(-1)).toBeLessThanOrEqual(10_000);
		// Nine tenths after seven seconds, and not at once.
		expect(paces[paces.findIndex((pace) => pace > 1_000)]).toBeLessThan(3_000);
	});

	it("says no length and no remaining time where the origin says none", async () => {
		progress.opened({ heldBytes: 0 });
		await receive(5);
		progress.ended("deferred");
		for (const notice of heard) {
			expect(notice).not.toHaveProperty("totalBytes");
			expect(notice).not.toHaveProperty("remainingMs");
		}
		expect(heard.at(-1)).toMatchObject({ bytes: 500, outcome: "deferred" });
	});

	it("has never less than nothing left, though more comes than was stated", async () => {
		progress.opened({ totalBytes: 100, heldBytes: 0 });
		await receive(5);
		expect(heard.at(-1)).toMatchObject({ bytes: 300, totalBytes: 100, remainingMs: 0 });
	});

	it("has neither begun nor ended where no origin answered", () => {
		progress.ended("deferred");
		expect(heard).toEqual([]);
	});

	it("starts again when the same try starts from the beginning", async () => {
		progress.opened({ totalBytes: 900, heldBytes: 800 });
		progress.opened({ totalBytes: 1_000, heldBytes: 0 });
		expect(heard.map(({ phase, bytes }) => [phase, bytes])).toEqual([
			["started", 800],
			["started", 0],
		]);
	});

	it("goes on to be told when the clock was set back", async () => {
		let backMs = 0;
		const emit = (notice: Notice): void => void heard.push(notice as ArchiveProgress);
		const now = () => clock.now() - backMs;
		const pending = {
			stream: "s",
			host: "h",
			deadline: 0,
			newestLink: "",
			attempts: 0,
			refusals: 0,
			metadata: {},
		};
		progress = createDownloadProgress({ notices: { emit }, clock: { ...clock, now } }, pending);
		progress.opened({ totalBytes: 10_000, heldBytes: 0 });
		await receive(3);
		backMs = 3_600_000;
		await receive(6);
		expect(heard.map(({ bytes }) => bytes)).toEqual([0, 300, 400, 700]);
	});
});
