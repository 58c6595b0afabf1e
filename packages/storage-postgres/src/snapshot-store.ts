import { createHash } from "node:crypto";
import { createTurns } from "@reelkeep/core";
import { checkSnapshotName, type Snapshot, type SnapshotStore } from "@reelkeep/core/ports";
import { ask } from "./ask.js";
import type { PostgresPool } from "./postgres-pool.js";
import { toText } from "./postgres-text.js";

/** Larger ones are folded anew at each start: a row has a gigabyte at most, and goes over the network whole. */
const MAX_SNAPSHOT_BYTES = 64 * 1024 * 1024;

/** Makes the snapshot store of a schema that is there; a row for each projection. */
export function createPostgresSnapshotStore(deps: {
	readonly pool: PostgresPool;
	readonly schema: string;
	/** In bytes of JSON. Default 64 MiB. */
	readonly maxSnapshotBytes?: number;
}): SnapshotStore {
	const { pool, schema, maxSnapshotBytes: maxBytes = MAX_SNAPSHOT_BYTES } = deps;
	const table = `${schema}.snapshots`;
	/** Saves of one name take effect in the order of the calls. */
	const turns = createTurns();
	return {
		async load(name) {
			checkSnapshotName(name);
			const text = `SELECT sha256, snapshot FROM ${table} WHERE name = $1`;
			const [row] = await ask(pool, { text, values: [toText(name)] }, "loading a snapshot");
			return row === undefined ? undefined : read(String(row.sha256), String(row.snapshot));
		},
		async save(name, snapshot) {
			checkSnapshotName(name);
			const text = JSON.stringify(snapshot);
			const bytes = Buffer.byteLength(text);
			if (bytes > maxBytes) return { _tag: "TooLarge", bytes, maxBytes };
			return turns.take(name, async () => {
				const statement = {
					text: `INSERT INTO ${table} (name, sha256, snapshot) VALUES ($1, $2, $3)
						ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, snapshot = excluded.snapshot`,
					values: [toText(name), sha256Of(text), text],
				};
				await ask(pool, statement, "saving a snapshot");
				return { _tag: "Saved" };
			});
		},
	};
}

/** One that was changed is none: the log has everything. */
function read(sha256: string, text: string): Snapshot | undefined {
	return sha256 === sha256Of(text) ? (JSON.parse(text) as Snapshot) : undefined;
}

function sha256Of(text: string): string {
	return createHash("sha256").update(text).digest("hex");
}
