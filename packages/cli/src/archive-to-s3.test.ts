// An archiver that keeps a video in object storage, over a real network that is cut between the two.

import { createHash } from "node:crypto";
import { archiver } from "@reelkeep/archiver";
import { memoryStorage } from "@reelkeep/core";
import { createReelkeep } from "@reelkeep/core/container";
import { EVENT_STORE, KEYRING, pickPorts, VIDEO_STORE, type VideoStore } from "@reelkeep/core/ports";
import { type CutLine, startCutLine } from "@reelkeep/harness/cut-line";
import { putSlowVideo } from "@reelkeep/harness/slow-videos";
import { s3Missing, startS3, type TestS3 } from "@reelkeep/harness/swift";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { s3Storage } from "@reelkeep/storage-s3";
import {
	createShiftingClock,
	type ObjectStore,
	startObjectStore,
	startTestReelkeep,
} from "@reelkeep/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const missing = s3Missing();
if (missing !== undefined && process.env.CI !== undefined) throw new Error(missing);
const MiB = 1024 * 1024;

// The line is cut by what it carries in plain text.
describe.skipIf(missing !== undefined || process.env.REELKEEP_TEST_S3 !== undefined)(
	"an archiver on S3",
	() => {
		let server: TestS3;
		let line: CutLine;
		let origin: ObjectStore;
		beforeEach(async () => {
			server = await startS3();
			line = await startCutLine(Number(new URL(server.endpoint).port));
			origin = await startObjectStore();
		}, 90_000);
		afterEach(async () => {
			await origin.close();
			await line.stop();
			await server.stop();
		});

		/** A process's video store. */
		const openVideos = async (endpoint: string) => {
			const { region, credentials, bucket, pathStyle } = server;
			const videos = s3Storage({ endpoint, region, credentials, bucket, pathStyle, partBytes: 5 * MiB });
			const others = pickPorts(memoryStorage(), [KEYRING, EVENT_STORE]);
			const reelkeep = createReelkeep({ plugins: [videos, others], logger: transcribingLogger() });
			await reelkeep.start();
			return { store: reelkeep.get(VIDEO_STORE), stop: () => reelkeep.stop() };
		};

		const sha256Of = async (store: VideoStore, location: string): Promise<string> => {
			const hash = createHash("sha256");
			for await (const chunk of store.open(location)) hash.update(chunk);
			return hash.digest("hex");
		};

		test.each([
			["a part is sent", "/000002", 5 * MiB],
			["the video is put together", "x-amz-copy-source", 10 * MiB],
		])(
			"keeps the whole video when the network is cut while %s, and asks the origin for the rest only",
			async (_, text, heldBytes) => {
				const videos = await openVideos(`http://127.0.0.1:${line.port}`);
				const clock = createShiftingClock();
				const reelkeep = await startTestReelkeep({
					clock,
					logger: transcribingLogger(),
					plugins: [archiver({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true })],
					stores: { videoStore: videos.store },
				});
				const video = await putSlowVideo(origin, { name: "v.mp4", extraBytes: 12 * MiB, slowTimes: 0 });
				line.cutAt(text);
				await reelkeep.report({ download_url: video.link.url, expire_time: video.link.expiresAtMs });
				await expect.poll(() => line.cuts(), { timeout: 30_000 }).toBe(1);
				const direct = await openVideos(server.endpoint);
				await expect
					.poll(async () => (await reelkeep.history()).map(({ type }) => type), { timeout: 30_000 })
					.toContain("ArchiveAttemptFailed");
				const [{ stream = "" } = {}] = await reelkeep.history();
				expect(await direct.store.stat(stream)).toBeUndefined();
				expect((await direct.store.findPartial(stream))?.bytes).toBeGreaterThanOrEqual(heldBytes);
				line.mend();
				await expect
					.poll(
						async () => {
							// Less than a lease: one that misses 30 seconds loses its leases, and breaks off what it is at.
							clock.shift(20_000);
							return (await reelkeep.history()).map(({ type }) => type);
						},
						{ timeout: 60_000, interval: 500 },
					)
					.toContain("RecordingArchived");
				const kept = await direct.store.stat(stream);
				expect(kept).toMatchObject({ bytes: video.bytes, sha256: video.sha256 });
				expect(await sha256Of(direct.store, kept?.location ?? "")).toBe(video.sha256);
				expect(await direct.store.findPartial(stream)).toBeUndefined();
				const froms = origin.asked("v.mp4").map(({ range }) => Number(/\d+/.exec(range ?? "0")));
				expect(froms[0]).toBe(0);
				expect(Math.min(...froms.slice(1))).toBeGreaterThanOrEqual(heldBytes - MiB);
				await reelkeep.stop();
				await videos.stop();
				await direct.stop();
			},
			150_000,
		);
	},
);
