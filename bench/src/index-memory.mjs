// What it takes to know the last event of each stream: `node --expose-gc index-memory.mjs KIND STREAMS` prints the bytes a stream and
// the longest single step as JSON.

// As built: the table is storage-fs's own.
import { createStreamHasher } from "../../packages/storage-fs/dist/stream-hash.js";
import { StreamTable } from "../../packages/storage-fs/dist/stream-table.js";
import { streamOf } from "./events.mjs";

const [kind, count] = process.argv.slice(2);
const KINDS = { reelkeep: table, map };
const used = () => {
	globalThis.gc();
	const { heapUsed, arrayBuffers } = process.memoryUsage();
	return heapUsed + arrayBuffers;
};

const before = used();
const { set, size } = KINDS[kind]();
let pauseMs = 0;
for (let index = 0; index < Number(count); index += 1) {
	// Flat, as a name that came in a request is.
	const stream = Buffer.from(streamOf(index), "latin1").toString("latin1");
	const start = performance.now();
	set(stream, index + 1);
	pauseMs = Math.max(pauseMs, performance.now() - start);
}
const bytesEach = (used() - before) / size();
console.log(JSON.stringify({ bytesEach, pauseMs }));

function table() {
	const { hash } = createStreamHasher("0123456789abcdef");
	const streams = new StreamTable();
	return { set: (stream, position) => streams.set(hash(stream), 0, position), size: () => streams.streams };
}

function map() {
	const streams = new Map();
	return { set: (stream, position) => streams.set(stream, position), size: () => streams.size };
}
