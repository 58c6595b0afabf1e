// What a log that grows costs: `node --expose-gc bench/src/growth.mjs --help`. At each size: the time of an append, the memory
// of the open store, and the rate of a replay of everything. The store is one and the same.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { decodeEvent } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import { createFsEventStore } from "@reelkeep/storage-fs";
import { sampleEvent, streamOf } from "./events.mjs";
import { plotPanels } from "./plot.mjs";
import { writeFile, writeJson } from "./write-file.mjs";

const PRODUCERS = 64;
const FIRST = 10_000;
/** Of each size, the appends that are timed: its last ones. */
const TIMED = 8_000;

const HELP = `node --expose-gc bench/src/growth.mjs [OPTIONS]

  --events N         how long the log becomes, ${FIRST} at least (default 3000000; about two minutes)
  --directory PATH   where a folder for the log is made, and removed (default: the system's for temporary files)
  --json FILE        where the figures are written
  --svg FILE         where the plot is written
`;

const { values } = parseArgs({
	options: {
		events: { type: "string", default: "3000000" },
		directory: { type: "string", default: tmpdir() },
		svg: { type: "string" },
		json: { type: "string" },
		help: { type: "boolean", default: false },
	},
});
const most = Number(values.events);
if (values.help) process.stdout.write(HELP);
else process.exitCode = await main();

async function main() {
	if (!Number.isSafeInteger(most) || most < FIRST || globalThis.gc === undefined) {
		process.stderr.write(HELP);
		return 2;
	}
	const directory = mkdtempSync(join(values.directory, "reelkeep-growth-"));
	try {
		const found = await measure(directory);
		if (values.json !== undefined) writeJson(values.json, found);
		if (values.svg !== undefined) writeFile(values.svg, plot(found));
		return 0;
	} finally {
		rmSync(directory, { recursive: true });
	}
}

async function measure(directory) {
	const event = await sampleEvent();
	globalThis.gc();
	const atFirst = memory();
	const store = createFsEventStore({ directory, clock: systemClock });
	await store.open();
	let next = 0;
	const appendUpTo = async (end) => {
		const produce = async () => {
			while (next < end) {
				const index = next;
				next += 1;
				await store.append(streamOf(index), [{ ...event, id: `event-${index}` }], "no-stream");
			}
		};
		const start = performance.now();
		await Promise.all(Array.from({ length: PRODUCERS }, produce));
		return performance.now() - start;
	};
	const found = [];
	for (const events of sizes()) {
		await appendUpTo(events - TIMED);
		const appendMicroseconds = (1000 * (await appendUpTo(events))) / TIMED;
		globalThis.gc();
		const bytes = memory() - atFirst;
		const start = performance.now();
		let read = 0;
		for await (const one of store.readAll()) {
			decodeEvent(one);
			read += 1;
		}
		if (read !== events) throw new Error(`there are ${read} events, not ${events}`);
		const replayedPerSecond = read / ((performance.now() - start) / 1000);
		const row = { events, appendMicroseconds, bytesAnEvent: bytes / events, replayedPerSecond };
		console.log(
			`${events} events: ${appendMicroseconds.toFixed(1)} µs an append, ${(bytes / 1e6).toFixed(1)} MB (${row.bytesAnEvent.toFixed(0)} bytes an event), ` +
				`${replayedPerSecond.toFixed(0)} replayed a second`,
		);
		found.push(row);
	}
	await store.close();
	return found;
}

function sizes() {
	const all = [];
	for (let size = FIRST, step = 0; size < most; step += 1) {
		all.push(size);
		size *= step % 2 === 0 ? 3 : 10 / 3;
		size = Math.round(size);
	}
	return [...all, most];
}

function memory() {
	const { heapUsed, arrayBuffers } = process.memoryUsage();
	return heapUsed + arrayBuffers;
}

function plot(found) {
	const line = (title, key) => ({ title, points: found.map((row) => [row.events, row[key]]) });
	return plotPanels("What a log costs that grows", [
		line("µs an append, 64 producers", "appendMicroseconds"),
		line("bytes of memory an event", "bytesAnEvent"),
		line("events replayed a second", "replayedPerSecond"),
	]);
}
