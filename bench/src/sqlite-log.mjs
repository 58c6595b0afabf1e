// The peer that a service would write: events in one table of better-sqlite3, durable when a call resolves.
// WAL with synchronous=FULL: a commit returns once its pages are synced.

import { join } from "node:path";
import Database from "better-sqlite3";

export const SQLITE_SETTINGS = { journal_mode: "WAL", synchronous: "FULL" };

export function openSqliteLog(directory) {
	const database = new Database(join(directory, "events.sqlite"));
	for (const [name, value] of Object.entries(SQLITE_SETTINGS)) database.pragma(`${name} = ${value}`);
	database.exec(`CREATE TABLE IF NOT EXISTS events (
		position INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, version INTEGER NOT NULL, id TEXT NOT NULL,
		type TEXT NOT NULL, schema_version INTEGER NOT NULL, data TEXT NOT NULL, metadata TEXT NOT NULL,
		recorded_at INTEGER NOT NULL, UNIQUE (stream, version))`);
	const insert = database.prepare(
		"INSERT OR IGNORE INTO events (stream, version, id, type, schema_version, data, metadata, recorded_at) VALUES (?, 1, ?, ?, ?, ?, ?, ?)",
	);
	/** Whether the stream was new. */
	const insertOne = (stream, { id, type, schemaVersion, data, metadata }) =>
		insert.run(stream, id, type, schemaVersion, JSON.stringify(data), JSON.stringify(metadata), Date.now())
			.changes === 1;
	const insertMany = database.transaction((batch) => {
		for (const entry of batch) entry.isNew = insertOne(entry.stream, entry.event);
	});
	let waiting = [];
	const flush = () => {
		const batch = waiting;
		waiting = [];
		insertMany(batch);
		for (const { resolve, isNew } of batch) resolve(isNew);
	};
	return {
		database,
		/** A transaction of its own. */
		append: insertOne,
		/** With all others of the same turn of the event loop. */
		appendInTurn(stream, event) {
			return new Promise((resolve) => {
				waiting.push({ stream, event, resolve, isNew: false });
				if (waiting.length === 1) setImmediate(flush);
			});
		},
		close: () => database.close(),
	};
}
