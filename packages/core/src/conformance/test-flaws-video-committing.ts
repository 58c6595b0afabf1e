// For the test of the video store's suite only: stores whose commits are seen half done, or whose later uploads harm a video.

import { storeFault, type VideoStore } from "../ports/index.js";
import { pause } from "./pause.js";
import { brokenUploads, brokenVideos, type MakeVideos, type VideoFlaw } from "./test-flawed-videos.js";
import { digestOf } from "./video-store-samples.js";

const NOTHING = digestOf(new Uint8Array());
const locationOf = (key: string): string => `memory:${encodeURIComponent(key)}`;

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const videoCommittingFlaws: Record<string, VideoFlaw> = {
	"an empty video is told of while it is committed": {
		breaks: ["commit-at-once"],
		make: committingSlowly((store, committing) => ({
			async stat(key) {
				const video = await store.stat(key);
				const isReserved = video === undefined && committing.has(locationOf(key));
				return isReserved ? { location: locationOf(key), ...NOTHING } : video;
			},
		})),
	},
	"an empty video is read while it is committed": {
		breaks: ["commit-at-once"],
		make: committingSlowly((store, committing) => ({
			async *open(location, options) {
				const isThere = (await store.stat(decodeURIComponent(location.slice(7)))) !== undefined;
				if (isThere || !committing.has(location)) yield* store.open(location, options);
			},
		})),
	},
	"a video is gone for a while after it was seen": {
		breaks: ["commit-at-once"],
		make: brokenVideos((store) => {
			const gone = new Set<string>();
			return {
				async begin(key, options) {
					const upload = await store.begin(key, options);
					return {
						...upload,
						async commit() {
							const result = await upload.commit();
							// Long enough to be looked for; of one that is large, so that others are soon done.
							if (result.video.bytes < 1_000_000) return result;
							await pause(10);
							gone.add(key);
							await pause(50);
							gone.delete(key);
							return result;
						},
					};
				},
				stat: async (key) => (gone.has(key) ? undefined : store.stat(key)),
			};
		}),
	},
	"a kill leaves an empty file under the name that a commit reserved": {
		breaks: ["crash-commit"],
		make: brokenVideos((store) => {
			const reserved = new Set<string>();
			return {
				async begin(key, options) {
					const upload = await store.begin(key, options);
					return {
						...upload,
						async commit() {
							while (reserved.has(locationOf(key))) await pause(1);
							reserved.add(locationOf(key));
							try {
								if ((await store.stat(key)) !== undefined) return await upload.commit();
								const { video } = await (await store.begin(key)).commit();
								await pause(4);
								// In one tick.
								const [, result] = await Promise.all([store.remove(video.location), upload.commit()]);
								return result;
							} finally {
								reserved.delete(locationOf(key));
							}
						},
					};
				},
				stat: async (key) => (reserved.has(locationOf(key)) ? undefined : store.stat(key)),
				async *open(location, options) {
					if (reserved.has(location)) throw storeFault("io", "no such file", { retryable: false });
					yield* store.open(location, options);
				},
			};
		}),
	},
	"a discard removes what another upload kept under its key": {
		breaks: ["kept-beside"],
		make: removingKept("discard"),
	},
	"a suspend removes what another upload kept under its key": {
		breaks: ["kept-beside"],
		make: removingKept("suspend"),
	},
};

/** A store whose commits take a while. `plant` is told where a video will lie meanwhile. */
function committingSlowly(
	plant: (store: VideoStore, committing: ReadonlySet<string>) => Partial<VideoStore>,
): MakeVideos {
	return brokenVideos((store) => {
		const committing = new Set<string>();
		return {
			async begin(key, options) {
				const upload = await store.begin(key, options);
				return {
					...upload,
					async commit() {
						committing.add(locationOf(key));
						await pause(2);
						committing.delete(locationOf(key));
						return upload.commit();
					},
				};
			},
			...plant(store, committing),
		};
	});
}

function removingKept(end: "discard" | "suspend"): MakeVideos {
	return brokenUploads((upload, { store, key }) => {
		let hasCommitted = false;
		const giveUp = async (): Promise<void> => {
			await upload[end]();
			const kept = hasCommitted ? undefined : await store.stat(key);
			if (kept !== undefined) await store.remove(kept.location);
		};
		return {
			async commit() {
				const result = await upload.commit();
				hasCommitted = true;
				return result;
			},
			...(end === "discard" ? { discard: giveUp } : { suspend: giveUp }),
		};
	});
}
