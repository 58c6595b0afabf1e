import { createNoticeEmitter, memoryStorage } from "@reelkeep/core";
import { createReelkeep } from "@reelkeep/core/container";
import type { ArchiveProgress, Notice, Notices, RecordingAtRisk } from "@reelkeep/core/ports";
import { createRecordingScene } from "@reelkeep/harness/recording-scene";
import { describe, expect, it } from "vitest";
import { archiver } from "./plugin.js";
import { eventually, HOUR, NAME, origin, presign, scene, start, typesOf, video } from "./test-archiving.js";

const KIB = 1_024;
const BROKEN = { _tag: "Status", status: 500 } as const;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));

/** What was told, by its type. */
function hearing() {
	const progress: ArchiveProgress[] = [];
	const risks: RecordingAtRisk[] = [];
	const notices: Notices = {
		emit(notice: Notice) {
			if (notice.type === "archiveProgress") progress.push(notice);
			else risks.push(notice);
		},
	};
	return { progress, risks, notices };
}

describe("the progress of downloads", () => {
	it("is told from the first byte to the last, in numbers that fit together", async () => {
		const totalBytes = 3_000 * KIB;
		origin.put(NAME, new Uint8Array(totalBytes).fill(7));
		origin.fault(NAME, { _tag: "Drip", chunkBytes: 100 * KIB, delayMs: 35 });
		const { progress, notices } = hearing();
		const startedAt = performance.now();
		const stream = await scene.report(presign());
		start({ notices });
		await scene.until(stream, "RecordingArchived");
		const tookMs = performance.now() - startedAt;
		await eventually(() => progress.at(-1)?.phase === "ended");
		const { host } = new URL(presign());
		for (const notice of progress) expect(notice).toMatchObject({ stream, host, totalBytes });
		expect(progress[0]).toMatchObject({ phase: "started", bytes: 0, bytesPerSecond: 0 });
		expect(progress.at(-1)).toMatchObject({ bytes: totalBytes, outcome: "archived", remainingMs: 0 });
		const running = progress.slice(1, -1);
		expect(running.length).toBeGreaterThan(0);
		for (const [at, { phase, bytes, bytesPerSecond, remainingMs = -1 }] of running.entries()) {
			expect(phase).toBe("running");
			expect(bytes).toBeGreaterThan(progress[at]?.bytes ?? 0);
			// No slower than it was as a whole; no faster than the origin drips, but for what a block gathers.
			expect(bytesPerSecond).toBeGreaterThan((totalBytes * 1_000) / tookMs / 2);
			expect(bytesPerSecond).toBeLessThan(2 * 100 * KIB * (1_000 / 35) + 1_024 * KIB);
			expect(remainingMs).toBeCloseTo(((totalBytes - bytes) * 1_000) / bytesPerSecond, -1);
		}
	});

	it("begins again with what an earlier try holds, and each try ends with what came of it", async () => {
		origin.put(NAME, new Uint8Array(900 * KIB).fill(7));
		origin.fault(NAME, { _tag: "Drop", afterBytes: 200 * KIB }, BROKEN);
		const { progress, notices } = hearing();
		const stream = await scene.report(presign());
		start({ notices });
		await scene.until(stream, "RecordingArchived");
		await eventually(() => progress.at(-1)?.outcome === "archived");
		const told = progress.filter(({ phase }) => phase !== "running");
		expect(told.map(({ phase, bytes, outcome }) => [phase, bytes / KIB, outcome])).toEqual([
			["started", 0, undefined],
			["ended", 200, "deferred"],
			// The try between them had no answer to tell of.
			["started", 200, undefined],
			["ended", 900, "archived"],
		]);
	});

	it("ends with `stopped` when the archiver stops", async () => {
		origin.fault(NAME, { _tag: "Stall", afterBytes: 5_000 });
		const { progress, notices } = hearing();
		await scene.report(presign());
		const running = start({ notices });
		await eventually(() => progress.length === 1);
		await running.stop();
		expect(progress.map(({ outcome }) => outcome)).toEqual([undefined, "stopped"]);
	});
});

describe("a recording at risk", () => {
	it("is told once for its link, however often it fails, and again for a new link", async () => {
		origin.faultForever(NAME, BROKEN);
		const { risks, notices } = hearing();
		const stream = await scene.report(presign());
		const deadline = (await scene.history(stream)).flatMap(({ data }) =>
			"deadline" in data ? data.deadline.at : [],
		)[0];
		start({ notices });
		await eventually(() => origin.requests(NAME) > 4);
		scene.clock.shift(30_000);
		await pause();
		expect(risks).toEqual([
			{
				type: "recordingAtRisk",
				stream,
				host: new URL(presign()).host,
				deadline,
				reason: "failing",
				message: expect.stringMatching(/^the last try failed: the origin answered 500/),
			},
		]);
		await scene.report(origin.presign(NAME, scene.clock.now() + HOUR + 60_000), {
			expireTime: scene.clock.now() + HOUR - 60_000,
		});
		await eventually(() => risks.length === 2);
		const before = origin.requests(NAME);
		await eventually(() => origin.requests(NAME) > before + 4);
		scene.clock.shift(30_000);
		await pause();
		expect(risks.map(({ reason }) => reason)).toEqual(["failing", "failing"]);
		expect(JSON.stringify(risks)).not.toMatch(/Signature|OSSAccessKeyId/);
	});

	it("is told when its deadline comes near, if nothing else happens", async () => {
		origin.faultForever(NAME, BROKEN);
		const { risks, notices } = hearing();
		const link = origin.presign(NAME, scene.clock.now() + 3 * HOUR);
		const stream = await scene.report(link, { expireTime: scene.clock.now() + 3 * HOUR });
		// No try is due for hours: only the clock says so.
		start({ notices }, { retry: { firstDelayMs: 8 * HOUR, minDelayMs: 8 * HOUR, maxDelayMs: 8 * HOUR } });
		await scene.until(stream, "ArchiveAttemptFailed");
		scene.clock.shift(HOUR);
		await pause();
		expect(risks).toEqual([]);
		scene.clock.shift(HOUR + 30_000);
		await eventually(() => risks.length === 1);
		expect(risks).toMatchObject([{ stream, reason: "failing" }]);
	});

	async function fallenSilent(): Promise<readonly string[]> {
		origin.fault(NAME, { _tag: "Stall", afterBytes: 5_000 });
		const { progress, risks, notices } = hearing();
		await scene.report(presign(), { expireTime: scene.clock.now() + 50 * 60_000 });
		start({ notices });
		await eventually(() => progress.length === 1);
		scene.clock.shift(30_000);
		await pause();
		return risks.map(({ reason }) => reason);
	}

	it("is none as long as nothing failed, however near its deadline is", async () => {
		expect(await fallenSilent()).not.toContain("failing");
	});

	it("is none either because nothing has come for half a minute", async () => {
		expect(await fallenSilent()).toEqual([]);
		expect(origin.requests(NAME)).toBe(1);
	});
});

describe("who listens", () => {
	it("and throws stops neither the others nor the video", async () => {
		origin.fault(NAME, BROKEN);
		const emitter = createNoticeEmitter(scene.logger);
		const heard: string[] = [];
		for (const type of ["archiveProgress", "recordingAtRisk"] as const) {
			emitter.on(type, () => {
				throw new Error("nobody listens");
			});
			emitter.on(type, () => Promise.reject(new Error("nobody listens")));
			emitter.on(type, () => heard.push(type));
		}
		const stream = await scene.report(presign());
		start({ notices: emitter });
		const history = await scene.until(stream, "RecordingArchived");
		expect(typesOf(history).at(-1)).toBe("RecordingArchived");
		await eventually(() => heard.length >= 3);
		expect(heard.filter((type) => type === "recordingAtRisk")).toHaveLength(1);
	});

	it("hears it all from a composed Reelkeep", async () => {
		origin.put("a.mp4", video);
		origin.fault("a.mp4", BROKEN);
		const reelkeep = createReelkeep({
			plugins: [memoryStorage(), archiver({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true })],
			logger: scene.logger,
		});
		const heard: string[] = [];
		reelkeep.notices.on("archiveProgress", ({ phase }) => heard.push(phase));
		reelkeep.notices.on("recordingAtRisk", ({ reason }) => heard.push(reason));
		await reelkeep.start();
		try {
			const { report } = createRecordingScene({ receive: reelkeep.receive });
			await report(origin.presign("a.mp4", Date.now() + 60_000), { expireTime: Date.now() + 60_000 });
			await eventually(() => heard.includes("ended"));
			expect(heard).toEqual(["failing", "started", "ended"]);
		} finally {
			await reelkeep.stop();
		}
	});
});
