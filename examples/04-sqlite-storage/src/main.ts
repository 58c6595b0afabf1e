// Callbacks in over HTTP, events and checkpoints in SQLite; videos and keys stay with storage-fs.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { httpIngress } from "@reelkeep/adapter-http";
import { createReelkeep } from "@reelkeep/core/container";
import { KEYRING, pickPorts, VIDEO_STORE } from "@reelkeep/core/ports";
import { fsStorage } from "@reelkeep/storage-fs";
import { sqliteStorage } from "./plugin.js";

const { REELKEEP_DATA = "./data", PORT = "8080", APP_KEY = "", APP_SECRET = "" } = process.env;
mkdirSync(REELKEEP_DATA, { recursive: true });

const sqlite = sqliteStorage({ path: join(REELKEEP_DATA, "events.sqlite") });
const disk = pickPorts(fsStorage({ directory: REELKEEP_DATA }), [VIDEO_STORE, KEYRING]);
const http = httpIngress({ port: Number(PORT), apps: { [APP_KEY]: APP_SECRET } });
// The order counts: before storage-fs makes a key, it asks the event store whether anything was sealed already.
const reelkeep = createReelkeep({ plugins: [sqlite, disk, http] });

await reelkeep.start();
console.log(`listening on ${http.address()}`);
reelkeep.subscribe("example", async ({ type, position }) => console.log(`${type} at ${position}`));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => reelkeep.stop());
