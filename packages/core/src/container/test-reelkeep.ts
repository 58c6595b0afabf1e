// For the tests of compositions only: a report, and Reelkeeps that are stopped when the test is over.

import { afterEach } from "vitest";
import { memoryStorage } from "../memory/plugin.js";
import type { Plugin, Report, Token } from "../ports/index.js";
import { createReelkeep, type Reelkeep, type ReelkeepOptions } from "./reelkeep.js";

export const LINK = "http://bucket.example.com/720p.mp4?Signature=secret";
export const report = (track = "track"): Report => ({
	appKey: "app",
	metadata: { ingress: "test" },
	requestParam: JSON.stringify({
		game_id: "game",
		track_info: track,
		account_domain: 0,
		download_url: LINK,
		version: 1,
		account_id: "account",
		expire_time: 0,
		action: "SCREEN_RECORDING_CALL_BACK",
		project_id: "project",
	}),
});

const running: Reelkeep[] = [];
afterEach(async () => {
	await Promise.all(running.splice(0).map((reelkeep) => reelkeep.stop().catch(() => undefined)));
});

export function compose(options: Partial<ReelkeepOptions> = {}): Reelkeep {
	const reelkeep = createReelkeep({ plugins: [memoryStorage()], ...options });
	running.push(reelkeep);
	return reelkeep;
}
export async function started(options: Partial<ReelkeepOptions> = {}): Promise<Reelkeep> {
	const reelkeep = compose(options);
	await reelkeep.start();
	return reelkeep;
}

/** Every store in memory but the one. */
export function memoryWithout(missing: Token<unknown>): Plugin {
	const storage = memoryStorage();
	return {
		...storage,
		provides: storage.provides.filter((token) => token !== missing),
		register: (registry) =>
			storage.register?.({
				provide: (token, factory) => {
					if (token !== missing) registry.provide(token, factory);
				},
			}),
	};
}
