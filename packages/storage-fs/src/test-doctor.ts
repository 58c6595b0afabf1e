// For this package's tests only: stores whose log and videos a test has brought into any state.

import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execute, loadRecording, type RecordingCommand, type VideoReceipt } from "@reelkeep/core";
import { inspectFsVideos, mendFsVideos } from "./doctor.js";
import type { FsEventStore } from "./event-store.js";
import type { FileSystem } from "./file-system.js";
import { temporaryDirectory, unsyncedDisk } from "./test-disk.js";
import { clock, collect, openStore, soleOwnership } from "./test-store.js";
import { createFsVideoStore } from "./video-store.js";

export const fileSystem = unsyncedDisk();
export const ownership = soleOwnership;
export const DEADLINE = 1_900_000_000_000;
export const ids = { next: () => randomBytes(8).toString("hex") };

export const inspect = (directory: string, options: { hashes?: boolean; fileSystem?: FileSystem } = {}) =>
	inspectFsVideos({ directory, ownership, fileSystem, ...options });
export const mend = (directory: string, options: { hashes?: boolean; fileSystem?: FileSystem } = {}) =>
	mendFsVideos({ directory, ownership, fileSystem, clock, ...options });

/** A store with its videos, in which a test plays receiver and archiver. */
export async function openScene(directory: string) {
	const store = await openStore(directory, { fileSystem });
	const videos = createFsVideoStore({ directory, fileSystem });
	await videos.start();
	const tell = (stream: string, command: RecordingCommand) =>
		execute({ store, ids }, stream, command, { metadata: { correlationId: `about ${stream}` } });
	const report = async (stream: string): Promise<void> => {
		await tell(stream, {
			_tag: "ReportRecording",
			facts: {
				projectId: "p",
				trackInfo: stream,
				object: "o",
				gameId: "g",
				accountDomain: 0,
				accountId: "a",
			},
			version: 1,
			action: "a",
			link: {
				downloadUrl: "http://bucket.example.com/720p.mp4?***",
				sealedUrl: "v1.k.x",
				linkFingerprint: "link",
				expireTime: DEADLINE,
				deadline: { at: DEADLINE, source: "expire_time", ignored: [] },
			},
			contentFingerprint: () => stream,
		});
	};
	const put = async (stream: string, content: string): Promise<VideoReceipt> => {
		const upload = await videos.begin(stream);
		await upload.write(Buffer.from(content));
		const { video } = await upload.commit();
		return { ...video, lengthVerified: true };
	};
	return {
		store,
		videos,
		report,
		/** Commits a video, and does not say so. */
		put,
		async archive(stream: string): Promise<VideoReceipt> {
			await report(stream);
			const receipt = await put(stream, `video of ${stream}`);
			await tell(stream, { _tag: "ArchiveRecording", receipt, adopted: false });
			return receipt;
		},
		async giveUp(stream: string, _tag: "ExpireLink" | "AbandonArchive"): Promise<void> {
			await tell(stream, { _tag, cause: "refused", message: "no", tried: ["link"] });
		},
		async suspend(stream: string): Promise<void> {
			const upload = await videos.begin(stream, { note: "n" });
			await upload.write(Buffer.from("half"));
			await upload.suspend();
		},
		async close(): Promise<void> {
			await videos.close();
			await store.close();
		},
	};
}
type Scene = Awaited<ReturnType<typeof openScene>>;

/** The directory of a store that `fill` has filled, closed. */
export async function filled(fill: (scene: Scene) => Promise<unknown>): Promise<string> {
	const directory = await temporaryDirectory();
	const scene = await openScene(directory);
	await fill(scene);
	await scene.close();
	return directory;
}

export async function withStore<Result>(directory: string, work: (store: FsEventStore) => Promise<Result>) {
	const store = await openStore(directory, { fileSystem });
	try {
		return await work(store);
	} finally {
		await store.close();
	}
}
export const recordingOf = async (directory: string, stream: string) =>
	withStore(directory, async (store) => (await loadRecording(store, stream)).recording);
export const lastOf = (directory: string, stream: string) =>
	withStore(directory, async (store) => (await collect(store.read(stream))).at(-1));
export const partialFiles = (directory: string) => readdir(join(directory, "videos/partial"));
export const flipByte = async (file: string): Promise<void> => {
	const bytes = await readFile(file);
	bytes[3] = (bytes[3] ?? 0) ^ 1;
	await writeFile(file, bytes);
};
