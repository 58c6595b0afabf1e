// The shortest useful Reelkeep: callbacks in over HTTP, events and videos in one directory.

import { httpIngress } from "@reelkeep/adapter-http";
import { archiver } from "@reelkeep/archiver";
import { createReelkeep } from "@reelkeep/core/container";
import { fsStorage } from "@reelkeep/storage-fs";

const { REELKEEP_DATA = "./data", REELKEEP_PORT = "8080", APP_KEY = "", APP_SECRET = "" } = process.env;

const http = httpIngress({ port: Number(REELKEEP_PORT), apps: { [APP_KEY]: APP_SECRET } });
const reelkeep = createReelkeep({
	plugins: [fsStorage({ directory: REELKEEP_DATA }), archiver(), http],
});

reelkeep.events.on("RecordingReported", ({ data }) =>
	console.log(`reported ${data.trackInfo} of ${data.gameId}`),
);
reelkeep.events.on("RecordingArchived", ({ data }) => console.log(`kept ${data.receipt.bytes} bytes`));
reelkeep.events.on("LinkExpired", ({ data }) => console.log(`lost: ${data.message}`));

await reelkeep.start();
console.log(`listening on ${http.address()}`);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => reelkeep.stop());
