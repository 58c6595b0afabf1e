import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMemoryEventStore } from "./memory/event-store.js";
import type { JsonObject, NewEvent, RecordedEvent } from "./ports/index.js";
import { foldProjection } from "./projection.js";
import type { Recording } from "./recording.js";
import { foldRecordings, recordingDeadline } from "./recordings.js";
import { type RecordingsModel, recordingsProjection } from "./recordings-model.js";
import {
	type RecordingsFilter,
	type RecordingsOrder,
	type RecordingsQuery,
	recordingCursor,
} from "./recordings-query.js";
import type { RecordingRow } from "./recordings-row.js";

const SECRET = "Signature=a-secret";
const few = fc.constantFrom("a", "b", "c");
const time = fc.integer({ min: 0, max: 6 });
const anyLink = fc.record({ at: time, serial: fc.nat(30) }).map(({ at, serial }) => ({
	downloadUrl: `http://h/o?${SECRET}`,
	sealedUrl: `v1.k.${SECRET}`,
	linkFingerprint: `link-${serial}`,
	expireTime: at,
	deadline: { at, source: "link", ignored: [] },
}));
const anyFacts = fc
	.record({ projectId: few, trackInfo: few, gameId: few, accountId: few })
	.map((facts) => ({ ...facts, object: "h/o", accountDomain: 0, version: 1, action: "A" }));
const receipt = { location: "memory:x", bytes: 3, sha256: "ab", lengthVerified: true };
const attempts = { attempts: 1, message: "no" };
const anyContent = fc.oneof(
	{
		weight: 4,
		arbitrary: fc
			.tuple(anyFacts, anyLink)
			.map(([facts, link]) => ({ type: "RecordingReported", data: { ...facts, ...link } })),
	},
	{
		weight: 4,
		arbitrary: anyLink.map((link) => ({ type: "LinkRenewed", data: { ...link, reopens: false } })),
	},
	fc.tuple(anyFacts, anyLink).map(([facts, link]) => ({
		type: "ReportContradicted",
		data: { ...facts, ...link, differs: ["gameId"], contentFingerprint: "c" },
	})),
	fc.record({ nextAttemptAt: time }, { requiredKeys: [] }).map((next) => ({
		type: "ArchiveAttemptFailed",
		data: { attempt: 1, reason: "r", message: "reset", linkFingerprint: "link-1", tried: true, ...next },
	})),
	fc.constantFrom(
		{ type: "RecordingArchived", data: { receipt, attempts: 1, adopted: false } },
		{ type: "LinkExpired", data: { ...attempts, cause: "refused" } },
		{ type: "ArchiveAbandoned", data: { ...attempts, cause: "too-large" } },
		{ type: "LogRepaired", data: { lost: [], aside: [] } },
		{ type: "VideoErased", data: {} },
	),
	anyLink.map(({ deadline, linkFingerprint, downloadUrl }) => ({
		type: "VideoRemoved",
		data: { location: "memory:x", cause: "missing", message: "gone", deadline, linkFingerprint, downloadUrl },
	})),
);
const anyEvent = fc.record({
	stream: fc.nat(15).map((serial) => `recording-${serial}`),
	content: anyContent,
	recordedAt: time,
});
/** Of several streams; or of one only, which then has more links than are remembered. */
const anyEvents = fc.oneof(
	{ weight: 4, arbitrary: fc.array(anyEvent, { minLength: 20, maxLength: 60, size: "max" }) },
	fc
		.array(anyEvent, { maxLength: 60, size: "max" })
		.map((events) => events.map((event) => ({ ...event, stream: "recording-a" }))),
);
type AnyEvent = typeof anyEvent extends fc.Arbitrary<infer Event> ? Event : never;

async function recorded(events: readonly AnyEvent[]): Promise<readonly RecordedEvent[]> {
	let now = 0;
	const store = createMemoryEventStore({ clock: { now: () => now } });
	for (const [index, { stream, content, recordedAt }] of events.entries()) {
		now = recordedAt;
		const event: NewEvent = {
			id: `e${index}`,
			schemaVersion: 1,
			metadata: {},
			...content,
			data: content.data as JsonObject,
		};
		await store.append(stream, [event], "any");
	}
	const log: RecordedEvent[] = [];
	for await (const event of store.readAll()) log.push(event);
	return log;
}

async function* each(events: readonly RecordedEvent[]): AsyncGenerator<RecordedEvent> {
	yield* events;
}
const modelOf = (events: readonly RecordedEvent[]): Promise<RecordingsModel> =>
	foldProjection(recordingsProjection, each(events));

/** Folds on from a state that was saved as JSON. */
async function resumed(saved: string, events: readonly RecordedEvent[]): Promise<RecordingsModel> {
	const model = recordingsProjection.codec?.fromJson(JSON.parse(saved));
	if (model === undefined) throw new Error("it has a codec");
	return foldProjection({ ...recordingsProjection, initialState: () => model }, each(events));
}
const savedAs = (model: RecordingsModel): string => JSON.stringify(recordingsProjection.codec?.toJson(model));

/** What both a row and the decider's own fold, links and all, say of a recording. */
function shownOf(recording: Recording | RecordingRow): object {
	const { state, reported, renewals, failedAttempts, nextAttemptAt, lastFailure, receipt, cause } = recording;
	const { at, source } = ("links" in recording ? recordingDeadline(recording) : recording.deadline) ?? {};
	return {
		state,
		reported,
		renewals,
		failedAttempts,
		nextAttemptAt,
		lastFailure,
		receipt,
		cause,
		at,
		source,
	};
}

const anyOneFilter: fc.Arbitrary<RecordingsFilter> = fc.oneof(
	fc
		.constantFrom("trackInfo", "projectId", "accountId", "gameId")
		.chain((name) => few.map((value) => ({ [name]: value }))),
	fc.constantFrom("pending", "archived", "expired", "abandoned", "unreported").map((state) => ({ state })),
	fc
		.constantFrom("deadlineBefore", "deadlineAfter", "recordedBefore", "recordedAfter")
		.chain((name) => time.map((value) => ({ [name]: value }))),
);
/** Few at once: of many, no row would be left. */
const anyFilter = fc
	.array(anyOneFilter, { maxLength: 3 })
	.map((filters): RecordingsFilter => Object.assign({}, ...filters));
const anyOrder = fc.constantFrom<RecordingsOrder>("oldest-first", "newest-first", "deadline");

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
const streams = (rows: readonly RecordingRow[]): readonly string[] => rows.map(({ stream }) => stream);

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

	test.each([
		["no list", "{}"],
		["rows that are none", "[{}]"],
		["rows in another order", undefined],
	])("a saved state of %s", async (_what, text) => {
		const events = await recorded(
			["a", "b"].map((name) => ({
				stream: `recording-${name}`,
				recordedAt: 1,
				content: { type: "LinkExpired", data: { ...attempts, cause: "refused" } },
			})),
		);
		const swapped = JSON.stringify(JSON.parse(savedAs(await modelOf(events))).reverse());
		await expect(resumed(text ?? swapped, [])).rejects.toThrow(TypeError);
	});
});

describe("the recordings", () => {
	test("are what the decider's fold says of each, in the order of their first events", () =>
		fc.assert(
			fc.asyncProperty(anyEvents, async (events) => {
				const log = await recorded(events);
				const model = await modelOf(log);
				const whole = await foldRecordings(each(log));
				expect(streams(model.rows())).toEqual([...whole.keys()]);
				expect(model.size).toBe(whole.size);
				for (const row of model.rows()) {
					const its = log.filter(
						({ stream, type }) => stream === row.stream && type !== "LogRepaired" && type !== "VideoErased",
					);
					const { position, recordedAt } = its[0] as RecordedEvent;
					expect(row).toMatchObject({ position, recordedAt, changedAt: its.at(-1)?.recordedAt });
					expect(shownOf(row)).toEqual(shownOf(whole.get(row.stream) as Recording));
					expect(model.get(row.stream)).toBe(row);
				}
			}),
			{ numRuns: 150 },
		));

	test("hold no link", () =>
		fc.assert(
			fc.asyncProperty(anyEvents, async (events) => {
				expect(savedAs(await modelOf(await recorded(events)))).not.toContain(SECRET);
			}),
		));

	test("saved after any event and folded on are the whole", () =>
		fc.assert(
			fc.asyncProperty(anyEvents, fc.nat(60), anyFilter, anyOrder, async (events, cut, filter, order) => {
				const log = await recorded(events);
				const whole = await modelOf(log);
				const cutOff = await resumed(savedAs(await modelOf(log.slice(0, cut))), log.slice(cut));
				expect(cutOff.rows()).toEqual(whole.rows());
				const query = { ...filter, order, limit: 5 };
				expect(cutOff.query(query)).toEqual(whole.query(query));
			}),
			{ numRuns: 150 },
		));

	test("cannot be changed through a read", async () => {
		const [event] = fc.sample(fc.tuple(anyFacts, anyLink), 1).map(([facts, link]) => ({
			stream: "recording-a",
			recordedAt: 1,
			content: { type: "RecordingReported", data: { ...facts, ...link } },
		}));
		const model = await modelOf(await recorded(event === undefined ? [] : [event]));
		const [row] = model.query({ limit: 1 }).rows;
		expect(() => Object.assign(row ?? {}, { state: "archived" })).toThrow(TypeError);
		expect(() => Object.assign(row?.reported ?? {}, { gameId: "other" })).toThrow(TypeError);
		(model.rows() as RecordingRow[]).pop();
		expect(model.rows()).toHaveLength(1);
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
