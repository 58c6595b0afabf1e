// What an archiver does when recordings become its own, or another's.

import { expect, it } from "vitest";
import { eventually, NAME, origin, presign, scene, start, typesOf, video } from "./test-archiving.js";

it("leaves the recordings of others alone, and begins with them once they are its own", async () => {
	const archiver = start();
	archiver.assign(() => false);
	const stream = await scene.report(presign());
	expect(await archiver.whenIdle()).toMatchObject({ archived: 0, waiting: 0 });
	expect(origin.requests(NAME)).toBe(0);
	archiver.assign(() => true);
	expect(typesOf(await scene.until(stream, "RecordingArchived"))).toHaveLength(2);
});

it("breaks off what is another's from now on, without a failed try, and whoever has it next goes on with it", async () => {
	origin.fault(NAME, { _tag: "Stall", afterBytes: 5_000 });
	const stream = await scene.report(presign());
	const first = start();
	await eventually(
		async () => (await scene.videoStore.findPartial(stream)) !== undefined || origin.requests(NAME) === 1,
	);
	first.assign(() => false);
	await first.settled(() => true);
	const second = start();
	const history = await scene.until(stream, "RecordingArchived");
	expect(typesOf(history)).toEqual(["RecordingReported", "RecordingArchived"]);
	expect(origin.requests(NAME)).toBe(2);
	expect(await first.whenIdle()).toMatchObject({ archived: 0 });
	expect(await second.whenIdle()).toMatchObject({ archived: 1 });
	expect((await scene.videoStore.stat(stream))?.bytes).toBe(video.length);
});

it("assigns nothing any more once it is stopped, and does not wait", async () => {
	const archiver = start();
	await archiver.stop();
	archiver.assign(() => false);
	await archiver.settled(() => true);
	expect(await archiver.whenIdle()).toMatchObject({ archived: 0 });
});
