// A relay at the edge: it proves what apps send over HTTP, keeps nothing, and hands it on over gRPC to a Reelkeep inside.
// A sender hears of success only when that one has stored the callback.

import { credentials } from "@grpc/grpc-js";
import { createHttpIngress, createTopVerifier } from "@reelkeep/adapter-http";
import { consoleLogger, randomIds, systemClock } from "@reelkeep/core/container";
import { createRelay } from "./relay.js";

const { PORT = "8080", APP_KEY = "", APP_SECRET = "" } = process.env;
const { REELKEEP_TARGET = "127.0.0.1:50051", REELKEEP_TOKEN = "" } = process.env;

// Inside a mesh, or with credentials.createSsl() where the way there is not private.
const relay = createRelay(REELKEEP_TARGET, credentials.createInsecure(), REELKEEP_TOKEN);
const ingress = createHttpIngress({
	port: Number(PORT),
	verifier: createTopVerifier({ apps: { [APP_KEY]: APP_SECRET }, clock: systemClock }),
	ids: randomIds,
	clock: systemClock,
	logger: consoleLogger,
});

const { address } = await ingress.start(async (report) => {
	const outcome = await relay.receive(report);
	if ("stream" in outcome) console.log(`relayed: ${outcome._tag} ${outcome.stream}`);
	return outcome;
});
console.log(`listening on ${address}`);

for (const signal of ["SIGINT", "SIGTERM"]) {
	process.once(signal, async () => {
		await ingress.stop();
		relay.close();
	});
}
