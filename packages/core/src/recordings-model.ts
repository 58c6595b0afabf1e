// The `recordings` read model: one row for each recording, with queries, as a projection of the log.

import type { ReelkeepEvent } from "./events.js";
import type { JsonObject, StreamName } from "./ports/event-store.js";
import { comparePositions } from "./ports/position.js";
import type { ProjectionDefinition } from "./projection.js";
import { createRecordingsIndex } from "./recordings-index.js";
import {
	checkQuery,
	compareByDeadline,
	meetsFilter,
	parseCursor,
	type RecordingsPage,
	type RecordingsQuery,
	type RowPlace,
	recordingCursor,
} from "./recordings-query.js";
import { evolveRow, isOfRecording, type RecordingRow, toRow } from "./recordings-row.js";

/** Of its rows, and of how they are folded. */
const VERSION = 1;

/**
 * Every recording that the log tells of, in memory.
 * *Shape*: about 2 KB of memory for each recording.
 */
export interface RecordingsModel {
	readonly size: number;
	get(stream: StreamName): RecordingRow | undefined;
	/**
	 * One page of the rows that meet all filters. Paging visits each row that keeps its place once, while others are added and
	 * change; in the order by deadline a row whose deadline moves meanwhile may be missed or come again.
	 * *Errors*: throws a `TypeError` or a `RangeError` that names the option.
	 */
	query(query: RecordingsQuery): RecordingsPage;
	/** All of them, in the order of their first events. */
	rows(): readonly RecordingRow[];
	/** Folds one event in. For `recordingsProjection`. */
	apply(event: ReelkeepEvent): void;
}

/** The read model as a projection: for `createProjection`, or `foldProjection` over a log that is read once. */
export const recordingsProjection: ProjectionDefinition<RecordingsModel> = {
	name: "recordings",
	version: VERSION,
	initialState: () => createRecordingsModel(),
	evolve(model, event) {
		model.apply(event);
		return model;
	},
	codec: {
		toJson: (model) => model.rows() as readonly object[] as readonly JsonObject[],
		fromJson(json) {
			if (!Array.isArray(json)) throw new TypeError("these are no rows of the recordings");
			return createRecordingsModel(json.map(toRow));
		},
	},
};

/** The numbers of rows; never asked for a place outside. */
interface RowNumbers {
	readonly length: number;
	at(place: number): number | undefined;
}

function createRecordingsModel(initial: readonly RecordingRow[] = []): RecordingsModel {
	const rows: RecordingRow[] = [];
	const numbers = new Map<StreamName, number>();
	const index = createRecordingsIndex();
	/** The numbers of all rows by deadline, until one changes. */
	let byDeadline: readonly number[] | undefined;

	const rowAt = (number: number): RecordingRow => {
		const row = rows[number];
		if (row === undefined) throw new RangeError(`there is no row ${number}`);
		return row;
	};
	const get = (stream: StreamName): RecordingRow | undefined => {
		const number = numbers.get(stream);
		return number === undefined ? undefined : rows[number];
	};
	const put = (row: RecordingRow): void => {
		const number = numbers.get(row.stream) ?? rows.length;
		const before = rows[number];
		if (before === undefined || row.deadline?.at !== before.deadline?.at) byDeadline = undefined;
		index.put(number, row, before);
		rows[number] = row;
		if (before === undefined) numbers.set(row.stream, number);
	};
	/** Those that a query may be about, in its order, but for the direction. */
	const find = (query: RecordingsQuery): RowNumbers => {
		const found = index.find(query, rows.length);
		if (query.order !== "deadline") return found ?? { length: rows.length, at: (place) => place };
		const sort = (some: readonly number[]) =>
			[...some].sort((left, right) => compareByDeadline(placeOf(rowAt(left)), placeOf(rowAt(right))));
		if (found !== undefined) return sort(found);
		byDeadline ??= sort([...rows.keys()]);
		return byDeadline;
	};

	for (const row of initial) {
		const last = rows.at(-1);
		if (last !== undefined && comparePositions(last.position, row.position) >= 0) {
			throw new TypeError("the rows of the recordings are not in their order");
		}
		put(row);
	}
	return {
		get size() {
			return rows.length;
		},
		get,
		query(query) {
			checkQuery(query);
			const { order = "oldest-first", limit } = query;
			const found: RecordingRow[] = [];
			for (const number of walk(find(query), query, (at) => placeOf(rowAt(at)))) {
				const row = rowAt(number);
				if (!meetsFilter(row, query)) continue;
				const last = found.at(-1);
				if (last !== undefined && found.length === limit)
					return { rows: found, next: recordingCursor(last, order) };
				found.push(row);
			}
			return { rows: found };
		},
		rows: () => [...rows],
		apply(event) {
			if (isOfRecording(event)) put(evolveRow(get(event.stream), event));
		},
	};
}

function placeOf({ position, deadline }: RecordingRow): RowPlace {
	return deadline === undefined ? { position } : { position, deadlineAt: deadline.at };
}

/** The numbers behind the cursor, in the order that is asked for. */
function* walk(
	numbers: RowNumbers,
	{ order = "oldest-first", cursor }: RecordingsQuery,
	placeAt: (number: number) => RowPlace,
): Generator<number> {
	const compare = order === "deadline" ? compareByDeadline : compareByPosition;
	const from = cursor === undefined ? undefined : parseCursor(cursor, order);
	const before = (limit: number): number =>
		countWhile(numbers, (number) => from !== undefined && compare(placeAt(number), from) <= limit);
	if (order === "newest-first") {
		const end = from === undefined ? numbers.length : before(-1);
		for (let at = end - 1; at >= 0; at -= 1) yield numbers.at(at) ?? 0;
	} else {
		for (let at = before(0); at < numbers.length; at += 1) yield numbers.at(at) ?? 0;
	}
}

function compareByPosition(a: RowPlace, b: RowPlace): number {
	return comparePositions(a.position, b.position);
}

/** How many from the start on are `true`, by bisection. */
function countWhile(numbers: RowNumbers, test: (number: number) => boolean): number {
	let low = 0;
	let high = numbers.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		const number = numbers.at(middle);
		if (number !== undefined && test(number)) low = middle + 1;
		else high = middle;
	}
	return low;
}
