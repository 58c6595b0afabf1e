// Two video stores as one: a video counts as kept once both have it, and is read from whichever still does.

import {
	type CommitResult,
	isStoreFault,
	type StoredVideo,
	storeFault,
	type VideoDigest,
	type VideoStore,
	type VideoUpload,
} from "@reelkeep/core/ports";

/**
 * Makes one store of two. The second is committed to first, and what only it has was never said to be kept: the first
 * one decides whether a video is there. Unfinished uploads are not gone on with.
 * *Errors*: those of either store; `corrupt` when the two have different bytes under one key.
 */
export function mirrorVideos(first: VideoStore, second: VideoStore): VideoStore {
	/** Of each key, the last commit: two at once could leave each store with the bytes of another. */
	const commits = new Map<string, Promise<unknown>>();
	const inTurn = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
		const turn = (commits.get(key) ?? Promise.resolve()).catch(() => undefined).then(work);
		commits.set(key, turn);
		try {
			return await turn;
		} finally {
			if (commits.get(key) === turn) commits.delete(key);
		}
	};
	return {
		supports: { resume: false },
		async begin(key) {
			const both = await onBoth([first, second], (store) => store.begin(key));
			return mirrorUpload(both, (mine) => inTurn(key, () => commitBoth(key, both, mine)));
		},
		findPartial: async () => undefined,
		removePartial: async (key) => void (await onBoth([first, second], (store) => store.removePartial(key))),
		async freeBytes() {
			const free = await onBoth([first, second], (store) => store.freeBytes());
			const known = free.filter((bytes) => bytes !== undefined);
			return known.length === 0 ? undefined : Math.min(...known);
		},
		async stat(key) {
			const [one, other] = await onBoth([first, second], (store) => store.stat(key));
			return one === undefined || other === undefined ? undefined : mirrored(one, other);
		},
		async *open(location, { offset = 0 } = {}) {
			const [one, other] = locationsOf(location);
			let at = offset;
			try {
				for await (const chunk of first.open(one, { offset })) {
					at += chunk.byteLength;
					yield chunk;
				}
			} catch (error) {
				if (!isStoreFault(error)) throw error;
				yield* second.open(other, { offset: at });
			}
		},
		async remove(location) {
			const [one, other] = locationsOf(location);
			await first.remove(one);
			await second.remove(other);
		},
	};

	async function commitBoth(
		key: string,
		[one, other]: readonly [VideoUpload, VideoUpload],
		mine: VideoDigest,
	): Promise<CommitResult> {
		const copy = await other.commit();
		const isForeign = copy._tag === "AlreadyStored" && copy.video.sha256 !== mine.sha256;
		if (isForeign && (await first.stat(key)) === undefined) {
			// Left by a process that died between the two commits: nobody was told of it.
			await second.remove(copy.video.location);
			await one.discard();
			throw storeFault(
				"io",
				"a copy that was never finished was in the way; it is removed, and one more try is needed",
			);
		}
		const result = await one.commit();
		return { _tag: result._tag, video: mirrored(result.video, copy.video) };
	}
}

function mirrorUpload(
	both: readonly [VideoUpload, VideoUpload],
	commit: (mine: VideoDigest) => Promise<CommitResult>,
): VideoUpload {
	const [one] = both;
	const discard = async () => void (await onBoth(both, (upload) => upload.discard()));
	return {
		offset: 0,
		write: async (chunk) => void (await onBoth(both, (upload) => upload.write(chunk))),
		digest: () => one.digest(),
		commit: async () => commit(await one.digest()),
		discard,
		suspend: discard,
	};
}

/** Waits for both, also when one fails: a chunk may be overwritten once this has ended. */
async function onBoth<Of, Result>(
	[one, other]: readonly [Of, Of],
	work: (of: Of) => Promise<Result>,
): Promise<readonly [Result, Result]> {
	const [mine, copy] = await Promise.allSettled([work(one), work(other)]);
	if (mine.status === "rejected") throw mine.reason;
	if (copy.status === "rejected") throw copy.reason;
	return [mine.value, copy.value];
}

function mirrored(one: StoredVideo, other: StoredVideo): StoredVideo {
	if (one.sha256 !== other.sha256) {
		throw storeFault("corrupt", `${one.location} and its copy ${other.location} have different bytes`);
	}
	const locations = [one.location, other.location].map(encodeURIComponent);
	return { ...one, location: `mirrored:${locations.join(",")}` };
}

function locationsOf(location: string): readonly [string, string] {
	const [one, other] = location
		.replace(/^mirrored:/, "")
		.split(",")
		.map(decodeURIComponent);
	if (one === undefined || other === undefined)
		throw storeFault("io", `${location} is no mirrored video`, { retryable: false });
	return [one, other];
}
