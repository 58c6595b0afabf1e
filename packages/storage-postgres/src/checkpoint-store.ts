import {
	type CheckpointStore,
	checkCheckpointMove,
	checkCheckpointName,
	type Position,
	type SaveResult,
	toPosition,
} from "@reelkeep/core/ports";
import { toFault } from "./postgres-fault.js";
import type { PostgresPool, Statement } from "./postgres-pool.js";
import { toText } from "./postgres-text.js";

/** Makes the checkpoint store of a schema that is there; a row for each subscription. */
export function createPostgresCheckpointStore(deps: {
	readonly pool: PostgresPool;
	readonly schema: string;
}): CheckpointStore {
	const table = `${deps.schema}.checkpoints`;
	const positionIn = async (statement: Statement): Promise<Position | undefined> => {
		const { rows } = await deps.pool.query(statement);
		const [row] = rows;
		return row === undefined ? undefined : toPosition(String(row.position));
	};
	const load = (name: string): Promise<Position | undefined> =>
		positionIn({ text: `SELECT position FROM ${table} WHERE name = $1`, values: [toText(name)] });
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
		);
	return {
		async load(name) {
			checkCheckpointName(name);
			try {
				return await load(name);
			} catch (error) {
				throw toFault(error, "loading a checkpoint");
			}
		},
		async save(name, position, expected): Promise<SaveResult> {
			checkCheckpointName(name);
			checkCheckpointMove(position, expected);
			try {
				if ((await move(name, position, expected)) !== undefined) return { _tag: "Saved" };
				return { _tag: "WrongCheckpoint", actual: await load(name) };
			} catch (error) {
				throw toFault(error, "saving a checkpoint");
			}
		},
	};
}
