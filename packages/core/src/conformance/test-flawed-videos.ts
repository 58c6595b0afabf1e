// For the test of the video store's suite only: sound stores in memory, and how a flaw is planted in them.

import { concatBytes } from "@noble/hashes/utils.js";
import { createMemoryVideoStore } from "../memory/video-store.js";
import {
	type BeginUploadOptions,
	storeFault,
	type VideoKey,
	type VideoStore,
	type VideoUpload,
} from "../ports/index.js";
import { pause } from "./pause.js";
import type { VideoStoreHarness } from "./video-store.js";

export type MakeVideos = () => Promise<VideoStoreHarness>;

/** What is broken, and the clauses that fail with it. */
export interface VideoFlaw {
	readonly breaks: readonly string[];
	readonly make: MakeVideos;
}

/** What a flaw may look at. */
export interface Session {
	/** What outlives the session, without the flaw. */
	readonly disk: VideoStore;
	/** Counts from 1. */
	readonly number: number;
	/** How the session before it ended. */
	readonly after?: "reopen" | "crash";
}

/** A store that finds everything again in its next session. `plant` replaces some members of each session's store. */
export function brokenVideos(
	plant: (store: VideoStore, session: Session) => Partial<VideoStore> = () => ({}),
): MakeVideos {
	return async () => {
		const disk = createMemoryVideoStore();
		let session = openSession(disk);
		let number = 1;
		const next = (after: "reopen" | "crash") => async (): Promise<VideoStore> => {
			await session.end();
			session = openSession(disk);
			number += 1;
			return { ...session.store, ...plant(session.store, { disk, number, after }) };
		};
		return {
			open: async () => ({ ...session.store, ...plant(session.store, { disk, number }) }),
			reopen: next("reopen"),
			crash: next("crash"),
			dispose: async () => undefined,
		};
	};
}

/** What is planted in an upload may look at. */
export interface UploadIn extends Session {
	readonly store: VideoStore;
	readonly key: VideoKey;
	readonly options: BeginUploadOptions;
}

/** As `brokenVideos`, of which `plant` replaces some members of each upload. */
export function brokenUploads(
	plant: (upload: VideoUpload, of: UploadIn) => Partial<VideoUpload>,
): MakeVideos {
	return brokenVideos((store, session) => ({
		async begin(key, options = {}) {
			const upload = await store.begin(key, options);
			return { ...upload, ...plant(upload, { ...session, store, key, options }) };
		},
	}));
}

/** One process. What is under way when it ends, however it does, is as if it were suspended. */
function openSession(disk: VideoStore): { readonly store: VideoStore; end(): Promise<void> } {
	const uploads: VideoUpload[] = [];
	let isOver = false;
	const refuseOver = (): void => {
		if (isOver) throw storeFault("closed", "this session is over");
	};
	const during = async <Result>(work: () => Promise<Result>): Promise<Result> => {
		refuseOver();
		return work();
	};
	const store: VideoStore = {
		supports: disk.supports,
		begin: (...args) =>
			during(async () => {
				const upload = await disk.begin(...args);
				uploads.push(upload);
				return {
					offset: upload.offset,
					write: (chunk) => during(() => upload.write(chunk)),
					digest: () => during(() => upload.digest()),
					commit: () => during(() => upload.commit()),
					discard: () => during(() => upload.discard()),
					suspend: () => during(() => upload.suspend()),
				};
			}),
		findPartial: (key) => during(() => disk.findPartial(key)),
		removePartial: (key) => during(() => disk.removePartial(key)),
		freeBytes: () => during(() => disk.freeBytes()),
		stat: (key) => during(() => disk.stat(key)),
		async *open(...args) {
			refuseOver();
			yield* disk.open(...args);
		},
		remove: (location) => during(() => disk.remove(location)),
	};
	return {
		store,
		async end() {
			isOver = true;
			for (const upload of uploads) await upload.suspend();
		},
	};
}

const BLOCK_BYTES = 4_096;

/** A sound store that works behind its callers' backs, and of an upload that was not committed keeps whole blocks only. */
export function keepingBlocks(): MakeVideos {
	const make = brokenUploads((upload) => {
		let held: Uint8Array = new Uint8Array();
		let last: Promise<unknown> = Promise.resolve();
		const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
			const turn = last.then(() => pause()).then(work);
			last = turn.catch(() => undefined);
			return turn;
		};
		const write = (bytes: number): Promise<void> => {
			const [whole, rest] = [held.subarray(0, bytes), held.subarray(bytes)];
			held = rest;
			return upload.write(whole);
		};
		return {
			write: (chunk) =>
				inTurn(async () => {
					held = concatBytes(held, chunk);
					await write(held.length - (held.length % BLOCK_BYTES));
				}),
			digest: () =>
				inTurn(async () => {
					await write(held.length);
					return upload.digest();
				}),
			commit: () =>
				inTurn(async () => {
					await write(held.length);
					return upload.commit();
				}),
			discard: () => inTurn(() => upload.discard()),
			suspend: () => inTurn(() => upload.suspend()),
		};
	});
	return async () => ({ ...(await make()), minResumableBytes: BLOCK_BYTES });
}
