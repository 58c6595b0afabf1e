// Events and checkpoints in one SQLite file; docs/write-a-plugin.md walks through it. Needs Node 22.16 or newer.

import { DatabaseSync } from "node:sqlite";
import { observe } from "@reelkeep/core";
import * as core from "@reelkeep/core/ports";

const SCHEMA = `PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
	CREATE TABLE IF NOT EXISTS events (position INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL,
		version INTEGER NOT NULL, recordedAt INTEGER NOT NULL, event TEXT NOT NULL, UNIQUE (stream, version));
	CREATE TABLE IF NOT EXISTS checkpoints (name TEXT PRIMARY KEY, position TEXT NOT NULL)`;
const REASONS: Record<number, core.StoreFaultReason> = { 5: "overloaded", 11: "corrupt", 26: "corrupt" };
const PAGE_EVENTS = 64;
const MAX_INTEGER = 2n ** 63n - 1n;
type Row = { event: string; version: number; position: core.Position; recordedAt: number };
type Scan = Omit<core.ReadAllOptions, "after"> & { readonly after?: string | number };

/** *Promise*: the stores are closed until `open`, which throws when `path` cannot be opened. */
export function createSqliteStores(path: string, clock: Pick<core.Clock, "now">) {
	let database: DatabaseSync | undefined;
	const hints = new Set<() => void>();
	function open(): void {
		database = new DatabaseSync(path);
		database.exec(SCHEMA);
	}

	/** What writes takes the only lock first: versions and positions become visible in the order they are given out. */
	function transact<T>(begin: "BEGIN" | "BEGIN IMMEDIATE", work: (database: DatabaseSync) => T): T {
		if (database === undefined) throw core.storeFault("closed", `${path} is not open`);
		try {
			database.exec(begin);
			const result = work(database);
			database.exec("COMMIT");
			return result;
		} catch (error) {
			const { code, errcode = 0 } = error as { readonly code?: string; readonly errcode?: number };
			if (code !== "ERR_SQLITE_ERROR") throw error;
			const reason = REASONS[errcode % 256] ?? "io";
			throw core.storeFault(reason, `SQLite fails on ${path}: code ${errcode}`);
		} finally {
			if (database.isTransaction) database.exec("ROLLBACK");
		}
	}

	async function* scan(key: "position" | "version", names: readonly string[], options: Scan) {
		const { after, direction = "forward", limit = Number.POSITIVE_INFINITY, types, signal } = options;
		const [behind, order, start] = direction === "forward" ? [">", "ASC", 0] : ["<", "DESC", MAX_INTEGER];
		const ofStream = names.length > 0 ? " AND stream = ?" : "";
		const ofTypes = types === undefined ? "" : " AND event ->> 'type' IN (SELECT value FROM json_each(?))";
		const where = `${key} ${behind} ?${ofStream}${ofTypes}`;
		const which = types === undefined ? names : [...names, JSON.stringify(types)];
		const sql = `SELECT * FROM events WHERE ${where} ORDER BY ${key} ${order} LIMIT ?`;
		let last = BigInt(after ?? start);
		for (let left = limit; left > 0; left -= PAGE_EVENTS) {
			const values = [last < MAX_INTEGER ? last : MAX_INTEGER, ...which, Math.min(left, PAGE_EVENTS)];
			const rows = transact("BEGIN", (it) => it.prepare(sql).all(...values)) as Row[];
			// A page that is not full is no end: more may have come while it was handed out.
			if (rows.length === 0) return;
			for (const row of rows) {
				signal?.throwIfAborted();
				yield toRecorded(row);
				last = BigInt(row[key]);
			}
		}
	}

	const events: core.EventStore = {
		supports: { persistence: true },
		async append(stream, events, expected) {
			core.checkAppend(stream, events, expected);
			// The name too: what SQLite hands out of a text ends at its first NUL.
			const texts = events.map((event) => JSON.stringify({ ...event, stream }));
			const result = transact("BEGIN IMMEDIATE", (it): core.AppendResult => {
				const newest = "SELECT coalesce(max(version), 0) AS version FROM events WHERE stream = ?";
				const { version } = it.prepare(newest).get(stream) as Row;
				const isMet = expected === "any" || version === (expected === "no-stream" ? 0 : expected);
				if (!isMet) return { _tag: "WrongExpectedVersion", actualVersion: version };
				const insert = it.prepare("INSERT INTO events VALUES (NULL, ?, ?, ?, ?) RETURNING position");
				const rows = texts.map((text, index) => insert.get(stream, version + index + 1, clock.now(), text));
				const position = core.toPosition((rows.at(-1) as Row).position);
				return { _tag: "Appended", version: version + texts.length, position };
			});
			if (result._tag === "Appended") for (const hint of [...hints]) hint();
			return result;
		},
		read(stream, options = {}) {
			core.checkReadStream(options);
			return scan("version", [stream], options);
		},
		readAll(options = {}) {
			core.checkReadAll(options);
			return scan("position", [], options);
		},
		onAppended(hint) {
			const own = (): void => observe(hint);
			hints.add(own);
			return () => void hints.delete(own);
		},
		async close() {
			database?.close();
			database = undefined;
		},
	};

	const select = "SELECT position FROM checkpoints WHERE name = ?";
	const find = (it: DatabaseSync, key: string) => (it.prepare(select).get(key) as Row | undefined)?.position;
	const checkpoints: core.CheckpointStore = {
		async load(name) {
			core.checkCheckpointName(name);
			return transact("BEGIN", (it) => find(it, JSON.stringify(name)));
		},
		async save(name, position, expected) {
			core.checkCheckpointName(name);
			core.checkCheckpointMove(position, expected);
			return transact("BEGIN IMMEDIATE", (it) => {
				const key = JSON.stringify(name); // as text, two names could be one: half a surrogate pair is no UTF-8
				const actual = find(it, key);
				if (actual !== expected) return { _tag: "WrongCheckpoint", actual };
				it.prepare("INSERT OR REPLACE INTO checkpoints VALUES (?, ?)").run(key, position);
				return { _tag: "Saved" };
			});
		},
	};
	return { events, checkpoints, open };
}

/** Frozen from the inside out, as `JSON.parse` revives. */
function toRecorded({ event, version, position, recordedAt }: Row): core.RecordedEvent {
	const stored = JSON.parse(event, (_, value) => Object.freeze(value)) as core.RecordedEvent;
	return Object.freeze({ ...stored, version, position: core.toPosition(position), recordedAt });
}
