import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldProjection } from "./projection.js";
import { type RecordingsModel, recordingsProjection } from "./recordings-model.js";
import {
	type RecordingsFilter,
	type RecordingsOrder,
	type RecordingsQuery,
	recordingCursor,
} from "./recordings-query.js";
import type { RecordingRow } from "./recordings-row.js";
import { anyEvents, anyFilter, anyOrder, each, modelOf, recorded, streams } from "./test-recordings.js";

const isAsked = (row: RecordingRow, filter: RecordingsFilter): boolean =>
	[
		[filter.trackInfo, row.reported?.trackInfo],
		[filter.projectId, row.reported?.projectId],
		[filter.accountId, row.reported?.accountId],
		[filter.gameId, row.reported?.gameId],
		[filter.state, row.state],
	].every(([asked, is]) => asked === undefined || asked === is);

function naive(rows: readonly RecordingRow[], filter: RecordingsFilter, order: RecordingsOrder) {
	const { deadlineBefore, deadlineAfter, recordedBefore = 99, recordedAfter = -99 } = filter;
	const isByDeadline = deadlineBefore !== undefined || deadlineAfter !== undefined;
	const met = rows.filter((row) => {
		if (!isAsked(row, filter)) return false;
		if (row.recordedAt >= recordedBefore || row.recordedAt < recordedAfter) return false;
		if (!isByDeadline) return true;
		const at = row.deadline?.at ?? Number.NaN;
		return at < (deadlineBefore ?? 99) && at >= (deadlineAfter ?? -99);
	});
	const byPosition = (a: RecordingRow, b: RecordingRow) => Number(a.position) - Number(b.position);
	const deadlineOf = ({ deadline }: RecordingRow) => deadline?.at ?? 99;
	if (order === "oldest-first") return met.sort(byPosition);
	if (order === "newest-first") return met.sort((a, b) => byPosition(b, a));
	return met.sort((a, b) => deadlineOf(a) - deadlineOf(b) || byPosition(a, b));
}

function* pages(model: RecordingsModel, query: RecordingsQuery): Generator<readonly RecordingRow[]> {
	let cursor: string | undefined;
	do {
		const { rows, next } = model.query({ ...query, ...(cursor === undefined ? {} : { cursor }) });
		yield rows;
		cursor = next;
	} while (cursor !== undefined);
}

describe("what makes no sense is refused:", () => {
	const refused: readonly [string, object, typeof RangeError | typeof TypeError][] = [
		["limit", { limit: 0 }, RangeError],
		["limit", { limit: 1001 }, RangeError],
		["limit", { limit: 1.5 }, RangeError],
		["limit", {}, RangeError],
		["state", { limit: 1, state: "lost" }, RangeError],
		["order", { limit: 1, order: "sideways" }, RangeError],
		["deadlineBefore", { limit: 1, deadlineBefore: Number.NaN }, RangeError],
		["recordedAfter", { limit: 1, recordedAfter: "2026" }, RangeError],
		["trackInfo", { limit: 1, trackInfo: 7 }, TypeError],
		["cursor", { limit: 1, cursor: "" }, RangeError],
		["cursor", { limit: 1, cursor: "5_7" }, RangeError],
		["cursor", { limit: 1, cursor: "-1" }, RangeError],
		["cursor", { limit: 1, order: "deadline", cursor: "7" }, RangeError],
		["cursor", { limit: 1, order: "deadline", cursor: "x_7" }, RangeError],
		["cursor", { limit: 1, order: "deadline", cursor: "_7" }, RangeError],
		["cursor", { limit: 1, order: "deadline", cursor: "1_2_3" }, RangeError],
	];
	test.each(refused)("%s of %j", async (name, query, kind) => {
		const model = await modelOf([]);
		const asked = (): unknown => model.query(query as RecordingsQuery);
		expect(asked).toThrow(kind);
		expect(asked).toThrow(name);
	});
});

describe("a query", () => {
	test("is answered as by going over all rows, in any order, page by page, each row once", () =>
		fc.assert(
			fc.asyncProperty(
				anyEvents,
				anyFilter,
				anyOrder,
				fc.integer({ min: 1, max: 4 }),
				async (events, filter, order, limit) => {
					const model = await modelOf(await recorded(events));
					const expected = naive(model.rows(), filter, order);
					const found = [...pages(model, { ...filter, order, limit })];
					expect(streams(found.flat())).toEqual(streams(expected));
					expect(found.slice(0, -1).every(({ length }) => length === limit)).toBe(true);
				},
			),
			{ numRuns: 200 },
		));

	test("goes on behind any row by its own cursor", () =>
		fc.assert(
			fc.asyncProperty(anyEvents, anyOrder, async (events, order) => {
				const model = await modelOf(await recorded(events));
				const all = model.query({ order, limit: 1000 }).rows;
				for (const [index, row] of all.entries()) {
					const cursor = recordingCursor(row, order);
					expect(model.query({ order, limit: 1000, cursor }).rows).toEqual(all.slice(index + 1));
				}
			}),
		));

	test("sees each event that came since the last one", () =>
		fc.assert(
			fc.asyncProperty(anyEvents, anyOrder, async (events, order) => {
				const model = await modelOf([]);
				for (const event of await recorded(events)) {
					await foldProjection({ ...recordingsProjection, initialState: () => model }, each([event]));
					const { rows } = model.query({ order, limit: 1000 });
					expect(streams(rows)).toEqual(streams(naive(model.rows(), {}, order)));
				}
			}),
			{ numRuns: 30 },
		));

	test("visits what was there once while others come, and the new ones too when it goes from old to new", () =>
		fc.assert(
			fc.asyncProperty(
				anyEvents,
				fc.nat(60),
				fc.constantFrom<RecordingsOrder>("oldest-first", "newest-first"),
				async (events, cut, order) => {
					const log = await recorded(events);
					const model = await modelOf(log.slice(0, cut));
					const before = streams(model.rows());
					const rest = [...log.slice(cut)];
					const seen: string[] = [];
					for (const rows of pages(model, { order, limit: 1 })) {
						seen.push(...streams(rows));
						const event = rest.shift();
						if (event !== undefined)
							await foldProjection({ ...recordingsProjection, initialState: () => model }, each([event]));
					}
					expect(new Set(seen).size).toBe(seen.length);
					expect(seen).toEqual(expect.arrayContaining([...before]));
				},
			),
		));
});
