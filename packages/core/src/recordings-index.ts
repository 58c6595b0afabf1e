// Finds the rows of the `recordings` read model that a query may be about, without going over all of them.

import type { RecordingState } from "./recording.js";
import { FACTS, type RecordingsFilter } from "./recordings-query.js";
import type { RecordingRow } from "./recordings-row.js";

/** A state's rows are sorted for each query: not worth it when going over all of them finds one in so many. */
const STATE_SHARE = 4;

export interface RecordingsIndex {
	/** Row `number` is `row` from now on, and was `before`. */
	put(number: number, row: RecordingRow, before: RecordingRow | undefined): void;
	/** Those that may meet `filter`, in ascending order; `undefined`: any of the `count` rows may. */
	find(filter: RecordingsFilter, count: number): readonly number[] | undefined;
}

export function createRecordingsIndex(): RecordingsIndex {
	// Most tracks have one recording: a number alone takes a fraction of a list.
	const byFact = FACTS.map((name) => ({ name, rows: new Map<string, number | number[]>() }));
	const byState = new Map<RecordingState, Set<number>>();
	return {
		put(number, row, before) {
			for (const { name, rows } of byFact) {
				const [value, old] = [row.reported?.[name], before?.reported?.[name]];
				if (value === old) continue;
				if (old !== undefined) removeFrom(rows, old, number);
				if (value !== undefined) addTo(rows, value, number);
			}
			if (row.state === before?.state) return;
			if (before !== undefined) byState.get(before.state)?.delete(number);
			const sameState = byState.get(row.state) ?? new Set();
			byState.set(row.state, sameState.add(number));
		},
		find(filter, count) {
			let best: readonly number[] | undefined;
			for (const { name, rows } of byFact) {
				const value = filter[name];
				if (value === undefined) continue;
				const found = listOf(rows.get(value));
				if (best === undefined || found.length < best.length) best = found;
			}
			if (filter.state === undefined) return best;
			const sameState = byState.get(filter.state);
			const stateCount = sameState?.size ?? 0;
			if (stateCount * STATE_SHARE > (best?.length ?? count)) return best;
			return [...(sameState ?? [])].sort((left, right) => left - right);
		},
	};
}

function listOf(numbers: number | readonly number[] | undefined): readonly number[] {
	if (numbers === undefined) return [];
	return typeof numbers === "number" ? [numbers] : numbers;
}

function addTo(rows: Map<string, number | number[]>, value: string, number: number): void {
	const known = rows.get(value);
	if (known === undefined) return void rows.set(value, number);
	const list = typeof known === "number" ? [known] : known;
	list.push(number);
	// Only the facts of a row whose first report was lost come after those of later rows.
	const isInOrder = (list.at(-2) ?? -1) < number;
	if (!isInOrder) list.sort((left, right) => left - right);
	rows.set(value, list);
}

function removeFrom(rows: Map<string, number | number[]>, value: string, number: number): void {
	const left = listOf(rows.get(value)).filter((other) => other !== number);
	if (left.length === 0) rows.delete(value);
	else rows.set(value, left);
}
