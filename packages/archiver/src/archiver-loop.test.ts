import { createMemoryEventStore } from "@reelkeep/core";
import { type EventStore, storeFault, type VideoSource, type VideoStore } from "@reelkeep/core/ports";
import { describe, expect, it } from "vitest";
import { createArchiver } from "./archiver.js";
import {
	eventually,
	HOUR,
	LOCAL,
	NAME,
	origin,
	presign,
	scene,
	start,
	typesOf,
	video,
} from "./test-archiving.js";

describe("the loop", () => {
	it("leaves no file and no event of a download that it broke off to stop", async () => {
		origin.fault(NAME, { _tag: "Stall", afterBytes: 5_000 });
		const stream = await scene.report(presign());
		const archiver = start();
		await eventually(() => origin.requests(NAME) === 1);
		await archiver.stop();
		await archiver.stop();
		expect(typesOf(await scene.history(stream))).toEqual(["RecordingReported"]);
		expect(await scene.videoStore.stat(stream)).toBeUndefined();
		start();
		await scene.until(stream, "RecordingArchived");
	});

	it("waits while the video store fails, says so, and keeps the video afterwards", async () => {
		let isFull = true;
		const videoStore: VideoStore = {
			...scene.videoStore,
			async begin(key) {
				if (isFull) throw storeFault("io", "no space left in the data directory");
				return scene.videoStore.begin(key);
			},
		};
		const stream = await scene.report(presign());
		const archiver = start({ videoStore });
		const history = await scene.until(stream, "ArchiveAttemptFailed");
		expect(history.at(-1)?.data).toMatchObject({
			reason: "storage",
			message: "no space left in the data directory",
		});
		await eventually(async () =>
			(await archiver.check()).some(({ message }) => message.includes("no space left")),
		);
		isFull = false;
		await scene.until(stream, "RecordingArchived");
		await eventually(async () => (await archiver.check()).length === 0);
	});

	it("waits while the event store refuses to append, and adopts what was committed by then", async () => {
		let faults = 1;
		const store: EventStore = {
			...scene.store,
			async append(stream, events, expected) {
				faults -= 1;
				if (faults === 0) throw storeFault("io", "the log cannot be written");
				return scene.store.append(stream, events, expected);
			},
		};
		const stream = await scene.report(presign());
		const archiver = start({ store });
		await eventually(async () =>
			(await archiver.check()).some(({ message }) => message.includes("be written")),
		);
		scene.clock.shift(1_000);
		const history = await scene.until(stream, "RecordingArchived");
		expect(history.at(-1)?.data).toMatchObject({ adopted: true });
		expect(origin.requests(NAME)).toBe(1);
	});

	it("says that the log was closed under it", async () => {
		const store = createMemoryEventStore({ clock: scene.clock });
		const archiver = start({ store });
		await store.close();
		scene.clock.shift(500);
		await eventually(async () =>
			(await archiver.check()).some(({ message }) => message.includes("log was closed")),
		);
	});

	it("goes on past an event that does not decode, and says so", async () => {
		const broken = { id: "x", type: "RecordingReported", schemaVersion: 1, data: {}, metadata: {} };
		await scene.store.append("recording-broken", [broken], "no-stream");
		const stream = await scene.report(presign());
		const archiver = start();
		await scene.until(stream, "RecordingArchived");
		expect(await archiver.check()).toMatchObject([
			{ message: expect.stringContaining("1 events of the log") },
		]);
	});

	it("has no more downloads under way than it may, and begins with the earliest deadline", async () => {
		const begun: string[] = [];
		let open = 0;
		let most = 0;
		const source: VideoSource = {
			async open(link, options) {
				begun.push(new URL(link).pathname);
				open += 1;
				most = Math.max(most, open);
				await new Promise((resolve) => setTimeout(resolve, 2));
				open -= 1;
				return LOCAL.open(link, options);
			},
		};
		const streams: string[] = [];
		for (const minutes of [50, 20, 40, 10, 30, 60]) {
			origin.put(`${minutes}.mp4`, video);
			const expireTime = scene.clock.now() + minutes * 60_000;
			streams.push(await scene.report(presign(`${minutes}.mp4`), { expireTime }));
		}
		start({ source }, { concurrency: 2 });
		for (const stream of streams) await scene.until(stream, "RecordingArchived");
		expect(most).toBe(2);
		// Those two begin at once; whose link is unsealed first is the thread pool's affair.
		expect(begun.slice(0, 2).sort()).toEqual(["/10.mp4", "/20.mp4"]);
	});

	it("attempts nothing that it has brought to rest, though the log's tail lags behind", async () => {
		const outcomes: unknown[] = [];
		const count = (_name: string, attributes?: object) => void outcomes.push(attributes);
		const store: EventStore = { ...scene.store, onAppended: () => () => undefined };
		const streams = [await scene.report(presign()), await scene.report(presign(), { trackInfo: "track-2" })];
		start({ store, telemetry: { ...scene.telemetry, count } }, { concurrency: 1 });
		for (const stream of streams) await scene.until(stream, "RecordingArchived");
		await new Promise((resolve) => setTimeout(resolve, 20));
		expect(outcomes).toEqual([{ outcome: "archived" }, { outcome: "archived" }]);
	});

	it("goes on though its logger and its telemetry throw at every word", async () => {
		const fail = () => {
			throw new Error("nobody listens");
		};
		const logger = { trace: fail, debug: fail, info: fail, warn: fail, error: fail };
		const telemetry = { count: fail, record: fail };
		let faults = 1;
		const store: EventStore = {
			...scene.store,
			async append(stream, events, expected) {
				faults -= 1;
				if (faults === 0) throw storeFault("io", "the log cannot be written");
				return scene.store.append(stream, events, expected);
			},
		};
		const broken = { id: "x", type: "RecordingReported", schemaVersion: 1, data: {}, metadata: {} };
		await scene.store.append("recording-broken", [broken], "no-stream");
		origin.fault(NAME, { _tag: "Status", status: 500 }, { _tag: "Drop", afterBytes: 100 });
		const stream = await scene.report(presign());
		const archiver = start({ store, logger, telemetry });
		await eventually(async () =>
			(await archiver.check()).some(({ message }) => message.includes("be written")),
		);
		scene.clock.shift(1_000);
		const history = await scene.until(stream, "RecordingArchived");
		expect(history.at(-1)?.data).toMatchObject({ attempts: 2 });
		await archiver.stop();
	});

	it("says that a download takes very long", async () => {
		origin.fault(NAME, { _tag: "Stall", afterBytes: 5_000 });
		await scene.report(presign());
		const archiver = start();
		await eventually(() => origin.requests(NAME) === 1);
		expect(await archiver.check()).toEqual([]);
		scene.clock.shift(HOUR + 1_000);
		expect(await archiver.check()).toMatchObject([
			{ message: expect.stringContaining("more than an hour"), severity: "degraded" },
		]);
	});

	it("refuses a concurrency that makes no sense", () => {
		for (const concurrency of [0, -1, 1.5, Number.NaN]) {
			expect(() => createArchiver({ ...scene, source: LOCAL }, { concurrency })).toThrow(RangeError);
		}
	});
});
