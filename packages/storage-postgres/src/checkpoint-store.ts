import {
	type Checkpoint,
	type CheckpointStore,
	checkCheckpointMove,
	checkCheckpointName,
	type Position,
	type SaveResult,
	toPosition,
} from "@reelkeep/core/ports";
import { ask } from "./ask.js";
import type { PostgresPool, Statement } from "./postgres-pool.js";
import { fromText, toText } from "./postgres-text.js";

const SAVING = "saving a checkpoint";

export interface PostgresCheckpointStore extends CheckpointStore {
	/** Where every name stands, in no order: for who moves a store. *Errors*: rejects with a `StoreFault`. */
	list(): Promise<readonly Checkpoint[]>;
}

/** Makes the checkpoint store of a schema that is there; a row for each subscription. */
export function createPostgresCheckpointStore(deps: {
	readonly pool: PostgresPool;
	readonly schema: string;
}): PostgresCheckpointStore {
	const table = `${deps.schema}.checkpoints`;
	const positionIn = async (statement: Statement, doing: string): Promise<Position | undefined> => {
		const [row] = await ask(deps.pool, statement, doing);
		return row === undefined ? undefined : toPosition(String(row.position));
	};
	const load = (name: string, doing: string): Promise<Position | undefined> =>
		positionIn({ text: `SELECT position FROM ${table} WHERE name = $1`, values: [toText(name)] }, doing);
	const move = (name: string, position: Position, expected: Position | undefined) =>
		positionIn(
			expected === undefined
				? {
						text: `INSERT INTO ${table} (name, position) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING position`,
						values: [toText(name), position],
					}
				: {
						text: `UPDATE ${table} SET position = $2 WHERE name = $1 AND position = $3 RETURNING position`,
						values: [toText(name), position, expected],
					},
			SAVING,
		);
	return {
		async list() {
			const text = `SELECT name, position FROM ${table}`;
			const rows = await ask(deps.pool, { text }, "listing checkpoints");
			return rows.map(({ name, position }) => ({
				name: fromText(String(name)),
				position: toPosition(String(position)),
			}));
		},
		async load(name) {
			checkCheckpointName(name);
			return load(name, "loading a checkpoint");
		},
		async save(name, position, expected): Promise<SaveResult> {
			checkCheckpointName(name);
			checkCheckpointMove(position, expected);
			if ((await move(name, position, expected)) !== undefined) return { _tag: "Saved" };
			return { _tag: "WrongCheckpoint", actual: await load(name, SAVING) };
		},
	};
}
