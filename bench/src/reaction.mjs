// From a commit to who follows the log elsewhere: `node reaction.mjs hints|polling SECONDS` prints milliseconds as JSON. Two stores
// on connections of their own, as in two processes; an append each 20 ms, timed from its answer to its event.

import { setTimeout as pause } from "node:timers/promises";
import { followLog } from "@reelkeep/core";
import { silentLogger, systemClock } from "@reelkeep/core/container";
import { sampleEvent, streamOf } from "./events.mjs";
import { openPostgresStore, startPostgres } from "./postgres.mjs";

const APART_MS = 20;
const [kind, seconds] = process.argv.slice(2);
const server = await startPostgres();
const hints = kind === "hints";
const [writer, reader] = [await openPostgresStore(server, hints), await openPostgresStore(server, hints)];
const event = await sampleEvent();
const answeredAt = new Map();
const times = [];
const stopping = new AbortController();
const following = (async () => {
	const deps = { store: reader.store, clock: systemClock, logger: silentLogger };
	for await (const followed of followLog(deps, { signal: stopping.signal })) {
		if (followed._tag !== "Event") continue;
		// One that is seen before its writer is answered took no time.
		times.push(
			Math.max(0, performance.now() - (answeredAt.get(followed.event.id) ?? Number.POSITIVE_INFINITY)),
		);
	}
})();
await pause(500);
const until = performance.now() + Number(seconds) * 1000;
let next = 0;
while (performance.now() < until) {
	const id = `event-${next}`;
	await writer.append(streamOf(next), { ...event, id });
	answeredAt.set(id, performance.now());
	next += 1;
	await pause(APART_MS);
}
while (times.length < next) await pause(50);
stopping.abort();
await following;
for (const { close } of [writer, reader]) await close();
await server.stop();
times.sort((a, b) => a - b);
const at = (share) => times[Math.floor(times.length * share)];
console.log(JSON.stringify({ p50Ms: at(0.5), p99Ms: at(0.99) }));
