// A download that takes the place of a file that is not its video.

import type { VideoStore } from "@reelkeep/core/ports";

/**
 * `store`, whose commits remove what lies at `location` first. Who commits has verified what came; until then that file
 * stays, since it may be all that there is.
 */
export function replacing(store: VideoStore, location: string): VideoStore {
	// Member by member: a store may be an object of a class.
	return {
		supports: store.supports,
		findPartial: (key) => store.findPartial(key),
		removePartial: (key) => store.removePartial(key),
		freeBytes: () => store.freeBytes(),
		stat: (key) => store.stat(key),
		open: (at, options) => store.open(at, options),
		remove: (at) => store.remove(at),
		async begin(key, options) {
			const upload = await store.begin(key, options);
			return {
				offset: upload.offset,
				write: (chunk) => upload.write(chunk),
				digest: () => upload.digest(),
				discard: () => upload.discard(),
				suspend: () => upload.suspend(),
				async commit() {
					await store.remove(location);
					return upload.commit();
				},
			};
		},
	};
}
