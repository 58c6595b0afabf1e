import { memoryStorage } from "@reelkeep/core";
import { createReelkeep } from "@reelkeep/core/container";
import { VIDEO_SOURCE, VIDEO_STORE } from "@reelkeep/core/ports";
import { createRecordingScene } from "@reelkeep/harness/recording-scene";
import { sampleVideo, startObjectStore } from "@reelkeep/testing";
import { expect, it } from "vitest";
import { archiver } from "./plugin.js";

it("refuses a pattern that names no host when it is made", () => {
	expect(() => archiver({ allowHosts: ["*"] })).toThrow(TypeError);
});

it("has nothing to say and nothing to stop before it starts", async () => {
	const plugin = archiver();
	expect(await plugin.check?.()).toEqual([]);
	await plugin.stop?.();
});

it("keeps the video of a recording that is reported to a composed Reelkeep", async () => {
	const origin = await startObjectStore({ objects: { "a.mp4": await sampleVideo() } });
	const reelkeep = createReelkeep({
		plugins: [memoryStorage(), archiver({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true })],
	});
	const archived = new Promise((resolve) => reelkeep.events.on("RecordingArchived", resolve));
	await reelkeep.start();
	try {
		const { report } = createRecordingScene({ receive: reelkeep.receive });
		const stream = await report(origin.presign("a.mp4", Date.now() + 60_000));
		expect(await archived).toMatchObject({ stream, data: { adopted: false } });
		expect(await reelkeep.get(VIDEO_STORE).stat(stream)).toBeDefined();
		expect(reelkeep.get(VIDEO_SOURCE)).toBe(reelkeep.get(VIDEO_SOURCE));
		expect(await reelkeep.health.check()).toEqual([]);
	} finally {
		await reelkeep.stop();
		await origin.close();
	}
});
