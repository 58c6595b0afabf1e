// What is known of the uploads that ended without a commit: found once, at the start, then kept in memory. Each is given to
// one taker only.

import type { Logger } from "@reelkeep/core/ports";
import type { FileSystem } from "./file-system.js";
import { type FoundPartial, findPartials, type KeptPartial, removePartial } from "./partial-files.js";

const LET_ALONE =
	"what an upload left cannot be looked at or removed, and is let alone; `reelkeep doctor` lists it";

export interface PartialUploads {
	/**
	 * Finds what the process before left, and removes what nobody can go on with. `hasVideo`: the video is kept already.
	 * What cannot be looked at or removed is neither offered nor touched again.
	 * *Errors*: rejects when the folder itself cannot be read.
	 */
	load(hasVideo: (videoName: string) => Promise<boolean>): Promise<void>;
	find(videoName: string): KeptPartial | undefined;
	/** Hands it out: from now on it is the caller's. */
	take(videoName: string): KeptPartial | undefined;
	/** Keeps what an upload left; of several uploads of one video the one that came furthest. */
	put(kept: KeptPartial): Promise<void>;
	remove(videoName: string): Promise<void>;
	/** Says that an upload is under way; its files are let alone until `end`. */
	begin(name: string): void;
	end(name: string): void;
}

export function createPartialUploads(
	fileSystem: FileSystem,
	folder: string,
	logger?: Logger,
): PartialUploads {
	const byVideo = new Map<string, KeptPartial>();
	const inUse = new Set<string>();
	const take = (videoName: string): KeptPartial | undefined => {
		const kept = byVideo.get(videoName);
		byVideo.delete(videoName);
		return kept;
	};
	const put = async (kept: KeptPartial): Promise<void> => {
		const other = byVideo.get(kept.videoName);
		const [better, worse] = other !== undefined && other.bytes > kept.bytes ? [other, kept] : [kept, other];
		byVideo.set(kept.videoName, better);
		if (worse !== undefined) await removePartial(fileSystem, folder, worse);
	};
	const settle = async (
		found: FoundPartial,
		hasVideo: (videoName: string) => Promise<boolean>,
	): Promise<void> => {
		if (found.failure !== undefined) throw found.failure;
		// A process that died within a commit left the video under both names: going on would write into it.
		const isOver = found.kept === undefined || (await hasVideo(found.videoName));
		if (found.kept === undefined || isOver) await removePartial(fileSystem, folder, found);
		else await put(found.kept);
	};
	return {
		async load(hasVideo) {
			byVideo.clear();
			for (const found of await findPartials(fileSystem, folder, (name) => inUse.has(name))) {
				try {
					await settle(found, hasVideo);
				} catch (error) {
					// No reason not to start, and none to throw it away.
					logger?.warn({ err: error, upload: found.name }, LET_ALONE);
				}
			}
			// Whoever made these names, or removed them, may have crashed before this.
			await fileSystem.syncDirectory(folder);
		},
		find: (videoName) => byVideo.get(videoName),
		take,
		put,
		async remove(videoName) {
			const kept = take(videoName);
			if (kept !== undefined) await removePartial(fileSystem, folder, kept);
		},
		begin: (name) => void inUse.add(name),
		end: (name) => void inUse.delete(name),
	};
}
