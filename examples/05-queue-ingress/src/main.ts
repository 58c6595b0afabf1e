// Callbacks from a message queue, everything in memory: a broker of the example's own, or yours at QUEUE_PORT.

import { memoryStorage } from "@reelkeep/core";
import { createReelkeep } from "@reelkeep/core/container";
import { type Plugin, VERIFIER } from "@reelkeep/core/ports";
import { startBroker } from "./broker.js";
import { createHmacVerifier } from "./hmac-verifier.js";
import { queueIngress } from "./queue-ingress.js";

const { QUEUE_PORT = "7070", APP_KEY = "", APP_SECRET = "" } = process.env;

const hmac: Plugin = {
	name: "hmac",
	provides: [VERIFIER],
	needs: [],
	register: (registry) => registry.provide(VERIFIER, () => createHmacVerifier({ [APP_KEY]: APP_SECRET })),
};
const queue = queueIngress({ host: "127.0.0.1", port: Number(QUEUE_PORT) });
const reelkeep = createReelkeep({ plugins: [memoryStorage(), hmac, queue] });
reelkeep.events.on("RecordingReported", ({ data }) => console.log(`reported ${data.trackInfo}`));

const broker = await startBroker(Number(QUEUE_PORT));
await reelkeep.start();
console.log(`taking messages from 127.0.0.1:${broker.port}`);
for (const signal of ["SIGINT", "SIGTERM"]) {
	process.once(signal, async () => {
		await reelkeep.stop();
		await broker.close();
	});
}
