// An Express service that exists already, with its body parsers and its routes, and takes callbacks too.

import { createTopVerifier } from "@reelkeep/adapter-http";
import { createExpressHandler, keepRawBody } from "@reelkeep/adapter-http/express";
import { archiver } from "@reelkeep/archiver";
import { createReelkeep } from "@reelkeep/core/container";
import { CLOCK, IDS } from "@reelkeep/core/ports";
import { fsStorage } from "@reelkeep/storage-fs";
import express from "express";

const { REELKEEP_DATA = "./data", PORT = "8080", APP_KEY = "", APP_SECRET = "" } = process.env;

// The service as it was; only `verify: keepRawBody` is new, because signatures cover bytes that a parser throws away.
const app = express();
app.use(express.json({ verify: keepRawBody }));
app.use(express.urlencoded({ extended: true, verify: keepRawBody }));
app.post("/orders", (request, response) => {
	response.json({ ordered: request.body.item });
});

// Reelkeep, embedded: it answers /router/rest and /router/batch, and leaves everything else to the service.
const reelkeep = createReelkeep({ plugins: [fsStorage({ directory: REELKEEP_DATA }), archiver()] });
const [clock, ids] = [reelkeep.get(CLOCK), reelkeep.get(IDS)];
const verifier = createTopVerifier({ apps: { [APP_KEY]: APP_SECRET }, clock });
app.use(createExpressHandler({ receive: reelkeep.receive, verifier, ids, clock }));

reelkeep.events.on("RecordingReported", ({ data }) => console.log(`reported ${data.trackInfo}`));
app.get("/recordings", async (_request, response) => {
	const reported: string[] = [];
	for await (const { type, data } of reelkeep.store.readAll()) {
		if (type === "RecordingReported") reported.push(String(data.trackInfo));
	}
	response.json(reported);
});
app.get("/readyz", async (_request, response) => {
	const problems = await reelkeep.health.check();
	response.status(problems.some(({ severity }) => severity !== "degraded") ? 503 : 200).json(problems);
});

await reelkeep.start();
const server = app.listen(Number(PORT), "127.0.0.1", () =>
	console.log(`listening on http://127.0.0.1:${PORT}`),
);
for (const signal of ["SIGINT", "SIGTERM"]) {
	process.once(signal, () => server.close(() => reelkeep.stop()));
}
