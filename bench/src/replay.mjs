// The whole log from its beginning, each event decoded: `node replay.mjs KIND DIRECTORY EVENTS` prints the rate as JSON.
// Fills the log first, once for each directory.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeEvent } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import { toPosition } from "@reelkeep/core/ports";
import { createFsEventStore } from "@reelkeep/storage-fs";
import { sampleEvent, streamOf } from "./events.mjs";
import { openSqliteLog } from "./sqlite-log.mjs";

const [kind, directory, count] = process.argv.slice(2);
const KINDS = { reelkeep, sqlite, "lines parsed": linesParsed };
const filled = join(directory, "filled");

const { append, readAll, close } = await KINDS[kind]();
if (!existsSync(filled)) {
	const event = await sampleEvent();
	for (let from = 0; from < Number(count); from += 1000) {
		const upTo = Math.min(from + 1000, Number(count));
		const batch = Array.from({ length: upTo - from }, (_, index) => from + index);
		await Promise.all(batch.map((index) => append(streamOf(index), { ...event, id: `event-${index}` })));
	}
	writeFileSync(filled, count);
	await close();
} else {
	const start = performance.now();
	let events = 0;
	for await (const event of readAll()) {
		if ((kind === "lines parsed" ? event : decodeEvent(event))?.type !== "RecordingReported")
			throw new Error("not what was appended");
		events += 1;
	}
	const seconds = (performance.now() - start) / 1000;
	await close();
	if (events !== Number(count)) throw new Error(`there are ${events} events, not ${count}`);
	console.log(JSON.stringify({ perSecond: events / seconds }));
}

async function reelkeep() {
	const store = createFsEventStore({ directory, clock: systemClock });
	await store.open();
	return {
		append: (stream, event) => store.append(stream, [event], "no-stream"),
		readAll: () => store.readAll(),
		close: () => store.close(),
	};
}

/** `JSON.parse` of each line and nothing else: what no reader of this log in one thread can be faster than. */
async function linesParsed() {
	const { append, close } = await reelkeep();
	return {
		append,
		*readAll() {
			const folder = join(directory, "events");
			const segments = readdirSync(folder).filter((name) => name.endsWith(".ndjson"));
			for (const name of segments.sort()) {
				const [, ...lines] = readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
				for (const line of lines) yield JSON.parse(line);
			}
		},
		close,
	};
}

function sqlite() {
	const log = openSqliteLog(directory);
	return {
		append: log.appendInTurn,
		*readAll() {
			for (const row of log.database.prepare("SELECT * FROM events ORDER BY position").iterate()) {
				yield {
					id: row.id,
					type: row.type,
					schemaVersion: row.schema_version,
					data: JSON.parse(row.data),
					metadata: JSON.parse(row.metadata),
					stream: row.stream,
					version: row.version,
					position: toPosition(row.position),
					recordedAt: row.recorded_at,
				};
			}
		},
		close: log.close,
	};
}
