import { sourceFault, storeFault, type VideoSource, type VideoStore } from "@reelkeep/core/ports";
import { describe, expect, it } from "vitest";
import { createHttpVideoSource } from "./http-video-source.js";
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

const MINUTE = 60_000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Pushes time ahead, and lets others work meanwhile, until it is `minutes` later or `condition` holds. */
async function pass(
	minutes: number,
	condition: () => boolean | Promise<boolean> = () => false,
): Promise<void> {
	for (let step = 0; step < minutes * 6 && !(await condition()); step += 1) {
		scene.clock.shift(MINUTE / 6);
		await pause(6);
	}
}

/** Videos that come slowly and never end, on hosts of `*.slow.example`; all others come at once. */
function slowSource(size: { readonly totalBytes?: number } = {}): VideoSource {
	return {
		async open(link, options) {
			if (!link.includes(".slow.example")) return LOCAL.open(link, options);
			const body = (async function* () {
				while (!options.signal.aborted) {
					yield new Uint8Array(64 * 1024).fill(1);
					await pause(20);
				}
				throw sourceFault("broke-off", "aborted");
			})();
			return { _tag: "Opened", offset: 0, checksums: {}, validator: "v", ...size, body };
		},
	};
}
const reportSlow = (host: string, livesMs: number) =>
	scene.report(`http://${host}.slow.example/v.mp4?Expires=9999999999&Signature=x`, {
		trackInfo: host,
		expireTime: scene.clock.now() + livesMs,
	});
const reportMany = (count: number, livesMs = HOUR) =>
	Promise.all(
		Array.from({ length: count }, (_, index) =>
			scene.report(origin.presign(NAME, scene.clock.now() + livesMs), {
				trackInfo: `${index}`,
				expireTime: scene.clock.now() + livesMs,
			}),
		),
	);
const areKept = async (streams: readonly string[]): Promise<boolean> => {
	const histories = await Promise.all(streams.map((stream) => scene.history(stream)));
	return histories.every((history) => typesOf(history).includes("RecordingArchived"));
};
/** A video store of which the next upload fails once. */
function hiccup() {
	const state = { isDue: false };
	const videoStore: VideoStore = {
		...scene.videoStore,
		async begin(...upload) {
			if (!state.isDue) return scene.videoStore.begin(...upload);
			state.isDue = false;
			throw storeFault("io", "one hiccup");
		},
	};
	return { state, videoStore };
}

describe("what is urgent is not held up", () => {
	it("by downloads under way that the plan has given up on", async () => {
		const source = slowSource({ totalBytes: 15 * 1024 ** 3 });
		for (let index = 0; index < 8; index += 1) await reportSlow(`host${index}`, 2 * HOUR);
		const archiver = start({ source });
		// Each of them has given way once, and was taken again because nothing better was due.
		await pass(10, async () =>
			(await archiver.check()).some(({ message }) => message.includes("no time left")),
		);
		await pass(1);
		const streams = await reportMany(10, 30 * MINUTE);
		await pass(25, () => areKept(streams));
		expect(await areKept(streams)).toBe(true);
	}, 20_000);

	it("by a long download after a hiccup of the store: another one finds out that it is over", async () => {
		const { state, videoStore } = hiccup();
		const slow = await reportSlow("long", 6 * HOUR);
		start({ source: slowSource(), videoStore }, { concurrency: 8 });
		await pause(100);
		expect(typesOf(await scene.history(slow))).toEqual(["RecordingReported"]);
		state.isDue = true;
		const unlucky = await scene.report(presign(), { trackInfo: "unlucky" });
		await scene.until(unlucky, "ArchiveAttemptFailed");
		const streams = await reportMany(20);
		await pass(5, () => areKept(streams));
		expect(await areKept(streams)).toBe(true);
	}, 20_000);

	it("by a long download that is to find out whether the store works again", async () => {
		const { state, videoStore } = hiccup();
		state.isDue = true;
		const first = await scene.report(presign(), { expireTime: scene.clock.now() + 50 * MINUTE });
		start({ source: slowSource(), videoStore }, { retry: {} });
		await scene.until(first, "ArchiveAttemptFailed");
		await reportSlow("long", 10 * MINUTE);
		const streams = await reportMany(20);
		await pass(20, () => areKept(streams));
		expect(await areKept(streams)).toBe(true);
	}, 20_000);

	it("by a full disk for longer than half of its time", async () => {
		const disk = { freeBytes: 0 };
		const videoStore: VideoStore = { ...scene.videoStore, freeBytes: async () => disk.freeBytes };
		const [stream = ""] = await reportMany(1, 20 * MINUTE);
		start({ videoStore }, { reserveBytes: 0, retry: {} });
		await pass(17.5);
		disk.freeBytes = 10 ** 9;
		await pass(2.4, () => areKept([stream]));
		expect(await areKept([stream])).toBe(true);
	}, 20_000);

	it("by its host's wish for patience, if that is longer than it lives", async () => {
		origin.put("busy.mp4", video);
		origin.fault("busy.mp4", { _tag: "Status", status: 503, retryAfter: "3600" });
		await scene.report(presign("busy.mp4"), { trackInfo: "busy" });
		start({}, { retry: {} });
		await eventually(() => origin.requests("busy.mp4") > 0);
		await pause(50);
		const [urgent = ""] = await reportMany(1, 4 * MINUTE);
		await eventually(() => areKept([urgent]));
	});

	it("by a host that nobody can connect to", async () => {
		const source: VideoSource = {
			async open(link, options) {
				if (!link.includes("gone.example")) return LOCAL.open(link, options);
				await scene.clock.sleep(10_000, options.signal);
				return {
					_tag: "Unavailable",
					reason: "unreachable",
					message: "gone.example cannot be reached in time",
				};
			},
		};
		for (let index = 0; index < 60; index += 1) {
			await scene.report(`http://gone.example/${index}.mp4?Expires=9999999999&Signature=x`, {
				trackInfo: `gone ${index}`,
				expireTime: scene.clock.now() + 20 * MINUTE,
			});
		}
		const [good = ""] = await reportMany(1, 25 * MINUTE);
		start({ source }, { concurrency: 4, retry: {} });
		await pass(10, () => areKept([good]));
		expect(await areKept([good])).toBe(true);
	}, 20_000);
});

describe("an origin that was never asked", () => {
	it("costs no recording when its name cannot be resolved behind the deadline and its grace, for a day", async () => {
		let isUp = false;
		const source = createHttpVideoSource({
			allowHosts: ["videos.example"],
			allowPrivateNetwork: true,
			resolve: async () => {
				if (!isUp) throw new Error("EAI_AGAIN");
				return ["127.0.0.1"];
			},
		});
		const link = origin.presign(NAME, scene.clock.now() + 48 * HOUR).replace("127.0.0.1", "videos.example");
		const stream = await scene.report(link, { expireTime: scene.clock.now() + HOUR });
		// The machine was off; its network comes up a little after us.
		scene.clock.shift(2 * HOUR);
		start({ source });
		await scene.until(stream, "ArchiveAttemptFailed");
		isUp = true;
		scene.clock.shift(MINUTE);
		await scene.until(stream, "RecordingArchived");
	});

	it("ends its recording behind that day", async () => {
		const source = createHttpVideoSource({ allowHosts: ["videos.example"], resolve: async () => [] });
		const stream = await scene.report("http://videos.example/v.mp4?Expires=9999999999&Signature=x");
		start({ source });
		await scene.until(stream, "ArchiveAttemptFailed");
		scene.clock.shift(24.5 * HOUR);
		await pause(100);
		expect(typesOf(await scene.history(stream))).not.toContain("LinkExpired");
		scene.clock.shift(HOUR);
		await scene.until(stream, "LinkExpired");
	});
});

it("what was in the way is no problem any more when nothing waits", async () => {
	const disk = { freeBytes: 0 };
	const videoStore: VideoStore = { ...scene.videoStore, freeBytes: async () => disk.freeBytes };
	const stream = await scene.report(presign());
	const archiver = start({ videoStore }, { reserveBytes: 0, retry: {} });
	await scene.until(stream, "ArchiveAttemptFailed");
	expect((await archiver.check()).map(({ message }) => message).join()).toContain("full");
	disk.freeBytes = 10 ** 9;
	origin.remove(NAME);
	await pass(60, async () => typesOf(await scene.history(stream)).includes("ArchiveAbandoned"));
	await eventually(async () => (await archiver.check()).length === 0);
});
