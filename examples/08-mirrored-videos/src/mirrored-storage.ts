// The two stores as a plugin: events and keys lie on the first disk, videos on both.

import { type Plugin, VIDEO_STORE } from "@reelkeep/core/ports";
import { createFsVideoStore } from "@reelkeep/storage-fs";
import { mirrorVideos } from "./mirror-videos.js";

export function mirroredVideos(first: string, second: string): Plugin {
	const one = createFsVideoStore({ directory: first });
	const other = createFsVideoStore({ directory: second });
	const stores = [one, other];
	return {
		name: "mirrored-videos",
		provides: [VIDEO_STORE],
		needs: [],
		register(registry) {
			registry.provide(VIDEO_STORE, () => mirrorVideos(one, other));
		},
		async start() {
			for (const store of stores) await store.start();
		},
		async stop() {
			for (const store of stores) await store.close();
		},
	};
}
