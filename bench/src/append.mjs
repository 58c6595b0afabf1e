// Durable appends in a process of their own: `node append.mjs KIND DIRECTORY PRODUCERS SECONDS` prints the rate as JSON.
// Each append makes a new stream; a producer waits for one before it makes the next.

import { systemClock } from "@reelkeep/core/container";
import { createFsEventStore } from "@reelkeep/storage-fs";
import { sampleEvent, streamOf } from "./events.mjs";
import { openPostgresLog, openPostgresStore, startPostgres } from "./postgres.mjs";
import { openSqliteLog } from "./sqlite-log.mjs";

const [kind, directory, producers, seconds] = process.argv.slice(2);
const KINDS = {
	reelkeep,
	"sqlite each": sqliteEach,
	"sqlite batched": sqliteBatched,
	postgres,
	"storage-postgres": storagePostgres,
};

const { append, close } = await KINDS[kind]();
const event = await sampleEvent();
const start = performance.now();
const from = start + Number(seconds) * 500;
const until = start + Number(seconds) * 1000;
let next = 0;
let counted = 0;
const produce = async () => {
	while (performance.now() < until) {
		const index = next;
		next += 1;
		if (!(await append(streamOf(index), { ...event, id: `event-${index}` })))
			throw new Error("a stream was there already");
		const now = performance.now();
		if (now >= from && now < until) counted += 1;
	}
};
await Promise.all(Array.from({ length: Number(producers) }, produce));
await close();
console.log(JSON.stringify({ perSecond: counted / ((until - from) / 1000) }));

async function reelkeep() {
	const store = createFsEventStore({ directory, clock: systemClock });
	await store.open();
	return {
		append: async (stream, one) => (await store.append(stream, [one], "no-stream"))._tag === "Appended",
		close: () => store.close(),
	};
}

function sqliteEach() {
	const log = openSqliteLog(directory);
	// A turn of the event loop for each, as a server has it.
	const turn = () => new Promise((resolve) => setImmediate(resolve));
	return {
		async append(stream, one) {
			await turn();
			return log.append(stream, one);
		},
		close: log.close,
	};
}

async function storagePostgres() {
	const server = await startPostgres();
	const { append, close } = await openPostgresStore(server);
	return {
		append,
		async close() {
			await close();
			await server.stop();
		},
	};
}

function postgres() {
	return openPostgresLog(Number(producers));
}

function sqliteBatched() {
	const log = openSqliteLog(directory);
	return { append: log.appendInTurn, close: log.close };
}
