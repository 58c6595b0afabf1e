// Keeps every video on two disks (here two directories), and reads it from the second when the first has lost it.

import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archiver } from "@reelkeep/archiver";
import { createReelkeep } from "@reelkeep/core/container";
import { CHECKPOINT_STORE, EVENT_STORE, KEYRING, pickPorts, VIDEO_STORE } from "@reelkeep/core/ports";
import { fsStorage } from "@reelkeep/storage-fs";
import { mirroredVideos } from "./mirrored-storage.js";

const folder = await mkdtemp(join(tmpdir(), "reelkeep-mirrored-"));
const [first, second] = [join(folder, "disk-1"), join(folder, "disk-2")];
const origin = createServer((_request, response) => response.end("the bytes of a video"));
await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));

const events = pickPorts(fsStorage({ directory: first }), [EVENT_STORE, CHECKPOINT_STORE, KEYRING]);
const reelkeep = createReelkeep({
	plugins: [
		events,
		mirroredVideos(first, second),
		archiver({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true }),
	],
});
const archived = new Promise<{ readonly location: string; readonly bytes: number }>((resolve) => {
	reelkeep.events.on("RecordingArchived", ({ data }) => resolve(data.receipt));
});
await reelkeep.start();

const callback = {
	action: "SCREEN_RECORDING_CALL_BACK",
	project_id: "cg-avatar",
	game_id: "cgdctwrqs",
	track_info: "track-1",
	account_domain: 0,
	account_id: "player",
	download_url: `http://127.0.0.1:${(origin.address() as AddressInfo).port}/720p.mp4`,
	expire_time: 0,
	version: 1,
};
const requestParam = JSON.stringify(callback);
await reelkeep.receive({ appKey: "12345678", requestParam, metadata: { ingress: "example" } });
const { location, bytes } = await archived;
console.log(`archived ${bytes} bytes on ${location.replace("mirrored:", "").split(",").length} disks`);

await rm(join(first, "videos"), { recursive: true });
const chunks: Uint8Array[] = [];
for await (const chunk of reelkeep.get(VIDEO_STORE).open(location)) chunks.push(chunk);
console.log(`the first disk has lost it; the second reads: ${Buffer.concat(chunks)}`);

await reelkeep.stop();
origin.close();
await rm(folder, { recursive: true });
