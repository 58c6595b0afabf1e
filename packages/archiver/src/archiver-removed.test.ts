import { execute, type RecordingArchived } from "@reelkeep/core";
import type { StreamName } from "@reelkeep/core/ports";
import { describe, expect, it } from "vitest";
import { eventually, NAME, origin, presign, scene, start, typesOf, video } from "./test-archiving.js";

/** Keeps the video, says that it is gone, and puts `bytes` in its place while nobody looks. */
async function removeAndPut(bytes: Uint8Array): Promise<StreamName> {
	const stream = await scene.report(presign());
	const archiver = start();
	await scene.until(stream, "RecordingArchived");
	await archiver.stop();
	const [archived] = await archivedOf(stream);
	if (archived === undefined) throw new Error("it is not archived");
	const { receipt } = archived;
	await scene.videoStore.remove(receipt.location);
	const removal = { location: receipt.location, cause: "missing", message: "it is gone" } as const;
	await execute(scene, stream, { _tag: "RemoveVideo", ...removal }, { metadata: { ingress: "test" } });
	const upload = await scene.videoStore.begin(stream);
	await upload.write(bytes);
	await upload.commit();
	return stream;
}
const archivedOf = async (stream: StreamName): Promise<readonly RecordingArchived[]> =>
	(await scene.history(stream)).flatMap((event) => (event.type === "RecordingArchived" ? [event.data] : []));

describe("what lies where a video was removed", () => {
	it("is the video again when it has its bytes, and its receipt says all that it said before", async () => {
		const stream = await removeAndPut(video);
		start();
		await eventually(async () => (await archivedOf(stream)).length === 2);
		const [before, after] = await archivedOf(stream);
		expect(after).toEqual({ ...before, attempts: after?.attempts, adopted: true });
		expect(after?.receipt.lengthVerified).toBe(true);
		expect(origin.requests(NAME)).toBe(1);
	});

	it.each([
		["cut short", () => video.subarray(0, 1_000)],
		["damaged", () => video.map((byte, index) => (index === 5_000 ? byte ^ 1 : byte))],
	])("is not taken for the video when it is %s: that is downloaded again", async (_how, bytesOf) => {
		const stream = await removeAndPut(bytesOf());
		start();
		await eventually(async () => (await archivedOf(stream)).length === 2);
		const [before, after] = await archivedOf(stream);
		expect(after).toMatchObject({ adopted: false, receipt: { sha256: before?.receipt.sha256 } });
		expect(await scene.videoStore.stat(stream)).toMatchObject({ bytes: video.length });
	});

	it("stays when the video cannot be downloaded any more, and its recording does not rest with it", async () => {
		const stream = await removeAndPut(video.subarray(0, 1_000));
		origin.remove(NAME);
		start();
		const history = await scene.until(stream, "ArchiveAbandoned");
		expect(typesOf(history).filter((type) => type === "RecordingArchived")).toHaveLength(1);
		expect(await scene.videoStore.stat(stream)).toMatchObject({ bytes: 1_000 });
	});
});
