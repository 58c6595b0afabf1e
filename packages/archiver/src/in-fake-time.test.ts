// The archiver as a service's test has it: stores in memory that fail on demand, time that the test moves, a real socket.

import {
	type ObjectStore,
	sampleVideo,
	startObjectStore,
	startTestReelkeep,
	type TestReelkeep,
} from "@reelkeep/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ArchiverPlugin, archiver } from "./plugin.js";

const NAME = "720p.mp4";
let origin: ObjectStore;
let plugin: ArchiverPlugin;
let reelkeep: TestReelkeep;
let video: Uint8Array;

beforeEach(async () => {
	plugin = archiver({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true });
	reelkeep = await startTestReelkeep({ plugins: [plugin] });
	video = await sampleVideo();
	origin = await startObjectStore({ objects: { [NAME]: video }, now: reelkeep.clock.now });
});
afterEach(async () => {
	await reelkeep.stop();
	await origin.close();
});

const typesOf = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type);
const reportLink = async (): Promise<string> => {
	const expiresAt = reelkeep.clock.now() + 3_600_000;
	const link = { download_url: origin.presign(NAME, expiresAt), expire_time: expiresAt };
	const outcome = await reelkeep.report(link);
	if (!("stream" in outcome)) throw new Error(outcome._tag);
	return outcome.stream;
};

it("keeps a video while time stands still", async () => {
	const stream = await reportLink();
	await reelkeep.until("RecordingArchived", stream);
	expect(await reelkeep.videoStore.stat(stream)).toMatchObject({ bytes: video.length });
	expect(await plugin.whenIdle()).toMatchObject({});
});

it.each(["begin", "write", "commit"] as const)(
	"tries again, in its time, when the %s of an upload failed",
	async (step) => {
		reelkeep.videoStore.faults.failNext(step);
		const stream = await reportLink();
		await reelkeep.until("ArchiveAttemptFailed", stream);
		expect(reelkeep.videoStore.faults.unmet()).toEqual([]);
		expect(await reelkeep.videoStore.stat(stream)).toBeUndefined();
		await reelkeep.clock.advance(60_000);
		await reelkeep.until("RecordingArchived", stream);
		const events = await reelkeep.history(stream);
		expect(typesOf(events)).toEqual(["RecordingReported", "ArchiveAttemptFailed", "RecordingArchived"]);
	},
);

it("adopts a video whose commit was not heard of, or one that is kept while the log cannot be written", async () => {
	reelkeep.videoStore.faults.failNext("commit", { when: "after" });
	const stream = await reportLink();
	await reelkeep.until("ArchiveAttemptFailed", stream);
	await reelkeep.clock.advance(60_000);
	const archived = await reelkeep.until("RecordingArchived", stream);
	expect(archived).toMatchObject({ data: { adopted: true, receipt: { bytes: video.length } } });
	expect(origin.requests(NAME)).toBe(1);
});

it("finds that a store kept less than it was given", async () => {
	reelkeep.videoStore.faults.tearNext("write", 100);
	const stream = await reportLink();
	await reelkeep.until("ArchiveAttemptFailed", stream);
	await reelkeep.clock.advance(60_000);
	await reelkeep.until("RecordingArchived", stream);
	expect(await reelkeep.videoStore.stat(stream)).toMatchObject({ bytes: video.length });
});
