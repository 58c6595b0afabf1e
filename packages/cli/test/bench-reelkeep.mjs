// Reelkeep's side of `bench-downloads.mjs`: URL VIDEOS BYTES FOLDER [--no-sync]. A whole archiver over a log in memory and
// a video store on the disk, all videos at once. Prints seconds, and the most memory that it took.

import { createArchiver, createHttpVideoSource } from "@reelkeep/archiver";
import {
	createMemoryEventStore,
	createMemoryKeyring,
	createReceive,
	SCREEN_RECORDING_CALL_BACK,
} from "@reelkeep/core";
import {
	admitEveryApp,
	systemClock as clock,
	randomIds as ids,
	silentLogger as logger,
	noTelemetry as telemetry,
} from "@reelkeep/core/container";
import { createFsVideoStore, createNodeFileSystem } from "@reelkeep/storage-fs";

const [url, videos, bytes, directory, flag] = process.argv.slice(2);
const count = Number(videos);
const disk = createNodeFileSystem();
const stored = createFsVideoStore({ directory, fileSystem: flag === "--no-sync" ? unsynced() : disk });
await stored.start();
let commitMs = 0;
const videoStore = { ...stored, begin };
const store = createMemoryEventStore({ clock });
const keyring = createMemoryKeyring();
const receive = createReceive({ store, keyring, admission: admitEveryApp, clock, ids, logger, telemetry });
for (let index = 0; index < count; index += 1) await receive(reportOf(index));
const source = createHttpVideoSource({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true });
const archiver = createArchiver(
	{ store, videoStore, source, keyring, clock, ids, logger, telemetry },
	{ concurrency: count, concurrencyPerHost: count },
);

const startedAt = performance.now();
archiver.start();
const summary = await archiver.whenIdle();
const wall = (performance.now() - startedAt) / 1000;
if (summary.archived !== count) throw new Error(JSON.stringify([summary, await archiver.check()]));
await archiver.stop();
await stored.close();
const figures = {
	wall,
	// Of many, those of some go on while others still come.
	commit: count === 1 ? commitMs / 1000 : 0,
	rssMb: (process.resourceUsage().maxRSS * 1024) / 1e6,
};
console.log(JSON.stringify(figures));

/** As the video store's; minds how long commits take. */
async function begin(...upload) {
	const begun = await stored.begin(...upload);
	const commit = async () => {
		const startedAt = performance.now();
		const result = await begun.commit();
		commitMs += performance.now() - startedAt;
		return result;
	};
	return { ...begun, commit };
}

function reportOf(index) {
	const requestParam = JSON.stringify({
		game_id: "game",
		track_info: `track-${index}`,
		account_domain: 0,
		version: 1,
		account_id: "account",
		action: SCREEN_RECORDING_CALL_BACK,
		project_id: "project",
		download_url: `${url}/${index}.mp4?bytes=${bytes}`,
		expire_time: Date.now() + 3_600_000,
	});
	return { requestParam, appKey: "bench", metadata: { ingress: "bench" } };
}

/** Says of everything that it is durable, and waits for nothing. */
function unsynced() {
	const nothing = async () => undefined;
	return {
		...disk,
		syncDirectory: nothing,
		open: async (path, mode) => ({ ...(await disk.open(path, mode)), datasync: nothing }),
	};
}
