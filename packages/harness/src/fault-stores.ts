// Stores that fail as a plan says, and watch what the archiver does with them.

import type { RecordingArchived } from "@reelkeep/core";
import {
	type EventStore,
	type Keyring,
	type NewEvent,
	type StreamName,
	storeFault,
	type VideoStore,
	type VideoUpload,
} from "@reelkeep/core/ports";
import { faulty } from "@reelkeep/testing";
import type { FaultPlan, UploadStep } from "./fault-plan.js";

/**
 * An event store whose appends fail as `plan` says, and that calls `violated` when a video is said to be archived before
 * the video store keeps it.
 */
export function watchEventStore(
	store: EventStore,
	{ failingAppends }: FaultPlan,
	watch: {
		readonly videoStore: () => VideoStore;
		readonly violated: (message: string) => void;
		readonly appended: () => void;
	},
): EventStore {
	const lookAt = async (stream: StreamName, { type, data }: NewEvent): Promise<void> => {
		if (type !== "RecordingArchived") return;
		const kept = await watch.videoStore().stat(stream);
		const { receipt } = data as RecordingArchived;
		if (kept === undefined) watch.violated("a video is said to be archived before it is kept");
		else if (kept.sha256 !== receipt.sha256)
			watch.violated("a receipt is of another video than the kept one");
	};
	const watched: EventStore = {
		...store,
		async append(stream, events, expected) {
			for (const event of events) await lookAt(stream, event);
			const result = await store.append(stream, events, expected);
			watch.appended();
			return result;
		},
	};
	const failing = faulty(watched);
	for (const { index, isTaken } of failingAppends) {
		failing.faults.failNext("append", { skip: index, when: isTaken ? "after" : "before" });
	}
	return failing;
}

/** Where the uploads of a stream still fail: once each, in order; or always, at the beginning. */
export type StoreFaults = Map<StreamName, UploadStep[] | "always">;

/** A video store whose uploads fail at the steps that `faults` has for their stream. */
export function spoilVideoStore(videoStore: VideoStore, faults: StoreFaults): VideoStore {
	const passOr = (stream: StreamName, step: UploadStep): void => {
		const left = faults.get(stream) ?? [];
		if (left === "always" ? step !== "begin" : left[0] !== step) return;
		if (left !== "always") left.shift();
		throw storeFault("io", "no space left in the data directory");
	};
	const spoil = (stream: StreamName, upload: VideoUpload): VideoUpload => ({
		...upload,
		async write(chunk) {
			passOr(stream, "write");
			return upload.write(chunk);
		},
		async commit() {
			passOr(stream, "commit");
			return upload.commit();
		},
	});
	return {
		...videoStore,
		async begin(stream, options) {
			passOr(stream, "begin");
			return spoil(stream, await videoStore.begin(stream, options));
		},
	};
}

/** Opens each sealed link once: archivers that try often would spend most of their time on that. */
export function rememberOpened(keyring: Keyring): Keyring {
	const opened = new Map<string, Promise<string>>();
	return {
		...keyring,
		open(sealed, context) {
			const key = `${context} ${sealed}`;
			const known = opened.get(key) ?? keyring.open(sealed, context);
			opened.set(key, known);
			return known;
		},
	};
}

/** The bytes of what is kept of `stream`; `undefined`: nothing. */
export async function readKept(videoStore: VideoStore, stream: StreamName): Promise<Uint8Array | undefined> {
	const stored = await videoStore.stat(stream);
	if (stored === undefined) return undefined;
	const chunks: Uint8Array[] = [];
	for await (const chunk of videoStore.open(stored.location)) chunks.push(chunk);
	return new Uint8Array(Buffer.concat(chunks));
}
