// Two services are told of every recording, each by a subscription of its own. One of them fails for one recording: that
// one is parked, the others go on, a restart forgets nothing, and it comes once the service is mended.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@reelkeep/core";
import { createReelkeep, type Reelkeep } from "@reelkeep/core/container";
import { fsStorage } from "@reelkeep/storage-fs";
import { startService } from "./service.js";
import { tellService } from "./tell-service.js";

const directory = await mkdtemp(join(tmpdir(), "reelkeep-fan-out-"));
const [billing, mail] = [await startService("billing"), await startService("mail")];

async function start(): Promise<Reelkeep> {
	const reelkeep = createReelkeep({ plugins: [fsStorage({ directory })], logger: silentLogger });
	await reelkeep.start();
	return reelkeep;
}

function subscribe(reelkeep: Reelkeep) {
	return {
		billing: reelkeep.subscribe("billing", tellService(billing.url), { triesBeforeParking: 2 }),
		mail: reelkeep.subscribe("mail", tellService(mail.url)),
	};
}

async function report(reelkeep: Reelkeep, track: string): Promise<void> {
	const callback = {
		action: "SCREEN_RECORDING_CALL_BACK",
		project_id: "cg-avatar",
		game_id: "cgdctwrqs",
		track_info: track,
		account_domain: 0,
		account_id: "player",
		download_url: `http://bucket.example.com/${track}.mp4`,
		expire_time: 0,
		version: 1,
	};
	const requestParam = JSON.stringify(callback);
	await reelkeep.receive({ appKey: "12345678", requestParam, metadata: { ingress: "example" } });
}

billing.refuses = "track-2";
const first = await start();
for (const track of ["track-1", "track-2", "track-3"]) await report(first, track);
const before = subscribe(first);
await before.mail.whenCaughtUp();
await before.billing.whenCaughtUp();
console.log(`billing: ${before.billing.problem()}`);
await first.stop();

console.log("-- restarted, and billing is mended");
billing.refuses = undefined;
const second = await start();
const { billing: again } = subscribe(second);
await again.whenCaughtUp();
console.log(`parked: ${again.parked().map(({ failures, error }) => `after ${failures} tries, ${error}`)}`);
again.retryParked();
while (again.parked().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
console.log(`billing: ${again.problem() ?? "no problem"}`);

await second.stop();
for (const service of [billing, mail]) service.close();
await rm(directory, { recursive: true });
