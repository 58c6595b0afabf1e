import { memoryStorage } from "@reelkeep/core";
import { createReelkeep } from "@reelkeep/core/container";
import type { EventStore, VideoStore } from "@reelkeep/core/ports";
import { LINK_EXPIRED } from "@reelkeep/testing";
import { describe, expect, it } from "vitest";
import { type Archiver, type ArchiverSummary, createArchiver } from "./archiver.js";
import { archiver } from "./plugin.js";
import {
	eventually,
	HOUR,
	LOCAL,
	NAME,
	origin,
	presign,
	QUICK,
	scene,
	start,
	video,
} from "./test-archiving.js";

const MINUTE = 60_000;
/** Nothing is tried twice within a test. */
const SLOW = { firstDelayMs: MINUTE, minDelayMs: MINUTE, maxDelayMs: MINUTE, confirmationDelayMs: MINUTE };

const reportMany = (count: number, name = NAME) =>
	Promise.all(
		Array.from({ length: count }, (_, at) => scene.report(presign(name), { trackInfo: `${name} ${at}` })),
	);

/** Whether it is settled by now, and what it says. */
function watch(archiver: Archiver, signal?: AbortSignal) {
	const seen: { summary?: ArchiverSummary } = {};
	const idle = archiver.whenIdle(signal === undefined ? {} : { signal }).then((summary) => {
		seen.summary = summary;
		return summary;
	});
	return { seen, idle };
}
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

describe("an archiver is idle", () => {
	/** As a store on a disk: whoever reads waits a moment. */
	const slowReads = (): EventStore => ({
		...scene.store,
		async *readAll(options) {
			await new Promise((resolve) => setTimeout(resolve, 20));
			yield* scene.store.readAll(options);
		},
	});

	it("not before it has seen what was reported before it was asked", async () => {
		const archiver = start({ store: slowReads() });
		await archiver.whenIdle();
		await scene.report(presign());
		expect(await archiver.whenIdle()).toMatchObject({ archived: 1 });
	});

	it("not before it has tried the link that its refresher has just given", async () => {
		origin.faultForever(NAME, LINK_EXPIRED);
		const refresh = async () => {
			origin.faultForever(NAME, undefined);
			return { downloadUrl: origin.presign(NAME, scene.clock.now() + 2 * HOUR) };
		};
		await scene.report(presign());
		const archiver = start({ refresher: { refresh }, store: slowReads() }, { retry: {} });
		expect(await archiver.whenIdle()).toMatchObject({ archived: 1 });
	});

	it("when there is nothing to do", async () => {
		expect(await start().whenIdle()).toEqual({ archived: 0, lost: 0, waiting: 0 });
	});

	it("when everything is kept, and not before the log was read to its end", async () => {
		await reportMany(9);
		const store: EventStore = {
			...scene.store,
			async *readAll(options) {
				for await (const event of scene.store.readAll(options)) {
					await new Promise((resolve) => setTimeout(resolve, 2));
					yield event;
				}
			},
		};
		const archiver = start({ store });
		const idle = [archiver.whenIdle(), archiver.whenIdle(), archiver.whenIdle()];
		const summary = { archived: 9, lost: 0, waiting: 0 };
		expect(await Promise.all(idle)).toEqual([summary, summary, summary]);
	});

	it("when what is left waits for later; it says until when", async () => {
		origin.faultForever(NAME, { _tag: "Status", status: 500 });
		origin.put("good.mp4", video);
		await reportMany(2, "good.mp4");
		await reportMany(3);
		const before = scene.clock.now();
		const { nextAttemptAt = 0, ...rest } = await start({}, { retry: SLOW }).whenIdle();
		expect(rest).toEqual({ archived: 2, lost: 0, waiting: 3 });
		expect(nextAttemptAt).toBeGreaterThanOrEqual(before + MINUTE);
		expect(nextAttemptAt).toBeLessThanOrEqual(scene.clock.now() + MINUTE);
	});

	it("when what is left came to rest without its video", async () => {
		await reportMany(2);
		await reportMany(1, "none.mp4");
		scene.clock.shift(2 * HOUR);
		expect(await start().whenIdle()).toEqual({ archived: 0, lost: 3, waiting: 0 });
	});

	it("again, after more has come; it counts since its start", async () => {
		const archiver = start();
		const [first = ""] = await reportMany(1);
		await scene.until(first, "RecordingArchived");
		expect(await archiver.whenIdle()).toMatchObject({ archived: 1 });
		origin.put("more.mp4", video);
		const [second = ""] = await reportMany(1, "more.mp4");
		await scene.until(second, "RecordingArchived");
		expect(await archiver.whenIdle()).toEqual({ archived: 2, lost: 0, waiting: 0 });
	});

	it("when all hosts that could be asked have asked for patience", async () => {
		origin.faultForever(NAME, { _tag: "Status", status: 503, retryAfter: "30" });
		await reportMany(6);
		const archiver = start({}, { retry: { ...QUICK, maxDelayMs: MINUTE }, concurrencyPerHost: 2 });
		const summary = await archiver.whenIdle();
		expect(summary).toMatchObject({ archived: 0, lost: 0, waiting: 6 });
		expect((summary.nextAttemptAt ?? 0) - scene.clock.now()).toBeGreaterThan(20_000);
		expect(origin.requests(NAME)).toBe(2);
	});

	it("while a full disk pauses it; the next is due no earlier than the pause ends", async () => {
		const videoStore: VideoStore = { ...scene.videoStore, freeBytes: async () => 0 };
		await reportMany(6);
		const archiver = start({ videoStore }, { concurrency: 2, retry: { ...QUICK, maxDelayMs: MINUTE } });
		const summary = await archiver.whenIdle();
		expect(summary).toMatchObject({ archived: 0, lost: 0, waiting: 6 });
		expect((summary.nextAttemptAt ?? 0) - scene.clock.now()).toBeGreaterThan(500);
		expect((await archiver.check())[0]?.message).toContain("the disk is full");
	});
});

describe("an archiver is not idle while a download is under way", () => {
	async function stalled(): Promise<Archiver> {
		origin.fault(NAME, { _tag: "Stall", afterBytes: 5_000 });
		await reportMany(1);
		const archiver = start();
		await eventually(() => origin.requests(NAME) === 1);
		return archiver;
	}

	it("and says so only when it is stopped, or who asked gives up", async () => {
		const archiver = await stalled();
		const giveUp = new AbortController();
		const one = watch(archiver);
		const other = watch(archiver, giveUp.signal);
		await pause();
		expect([one.seen, other.seen]).toEqual([{}, {}]);
		giveUp.abort();
		expect(await other.idle).toMatchObject({ archived: 0, lost: 0, waiting: 1 });
		expect(one.seen).toEqual({});
		await archiver.stop();
		expect(await one.idle).toMatchObject({ archived: 0, lost: 0, waiting: 1 });
	});

	it("but answers at once who has given up before, and everyone once it was stopped", async () => {
		const archiver = await stalled();
		expect(await archiver.whenIdle({ signal: AbortSignal.abort() })).toMatchObject({ waiting: 1 });
		await archiver.stop();
		expect(await archiver.whenIdle()).toMatchObject({ waiting: 1 });
	});

	it("also when it is stopped before it was started", async () => {
		const archiver = createArchiver({ ...scene, source: LOCAL });
		const { seen } = watch(archiver);
		await archiver.stop();
		await pause();
		expect(seen.summary).toEqual({ archived: 0, lost: 0, waiting: 0 });
	});
});

it("a composed archiver says when it is idle, once it is started", async () => {
	const plugin = archiver({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true });
	await expect(plugin.whenIdle()).rejects.toThrow("not started");
	const reelkeep = createReelkeep({ plugins: [memoryStorage(), plugin], logger: scene.logger });
	await reelkeep.start();
	try {
		expect(await plugin.whenIdle()).toEqual({ archived: 0, lost: 0, waiting: 0 });
	} finally {
		await reelkeep.stop();
	}
	expect(await plugin.whenIdle()).toEqual({ archived: 0, lost: 0, waiting: 0 });
});
