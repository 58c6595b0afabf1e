// For the tests of the recordings' read model only: any log of recordings, and its model.

import fc from "fast-check";
import { createMemoryEventStore } from "./memory/event-store.js";
import type { JsonObject, NewEvent, RecordedEvent } from "./ports/index.js";
import { foldProjection } from "./projection.js";
import { type RecordingsModel, recordingsProjection } from "./recordings-model.js";
import type { RecordingsFilter, RecordingsOrder } from "./recordings-query.js";
import type { RecordingRow } from "./recordings-row.js";

export const SECRET = "Signature=a-secret";
const few = fc.constantFrom("a", "b", "c");
const time = fc.integer({ min: 0, max: 6 });
export const anyLink = fc.record({ at: time, serial: fc.nat(30) }).map(({ at, serial }) => ({
	downloadUrl: `http://h/o?${SECRET}`,
	sealedUrl: `v1.k.${SECRET}`,
	linkFingerprint: `link-${serial}`,
	expireTime: at,
	deadline: { at, source: "link", ignored: [] },
}));
export const anyFacts = fc
	.record({ projectId: few, trackInfo: few, gameId: few, accountId: few })
	.map((facts) => ({ ...facts, object: "h/o", accountDomain: 0, version: 1, action: "A" }));
const receipt = { location: "memory:x", bytes: 3, sha256: "ab", lengthVerified: true };
export const attempts = { attempts: 1, message: "no" };
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
export const anyEvents = fc.oneof(
	{ weight: 4, arbitrary: fc.array(anyEvent, { minLength: 20, maxLength: 60, size: "max" }) },
	fc
		.array(anyEvent, { maxLength: 60, size: "max" })
		.map((events) => events.map((event) => ({ ...event, stream: "recording-a" }))),
);
type AnyEvent = typeof anyEvent extends fc.Arbitrary<infer Event> ? Event : never;

export async function recorded(events: readonly AnyEvent[]): Promise<readonly RecordedEvent[]> {
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

export async function* each(events: readonly RecordedEvent[]): AsyncGenerator<RecordedEvent> {
	yield* events;
}
export const modelOf = (events: readonly RecordedEvent[]): Promise<RecordingsModel> =>
	foldProjection(recordingsProjection, each(events));

/** Folds on from a state that was saved as JSON. */
export async function resumed(saved: string, events: readonly RecordedEvent[]): Promise<RecordingsModel> {
	const model = recordingsProjection.codec?.fromJson(JSON.parse(saved));
	if (model === undefined) throw new Error("it has a codec");
	return foldProjection({ ...recordingsProjection, initialState: () => model }, each(events));
}
export const savedAs = (model: RecordingsModel): string =>
	JSON.stringify(recordingsProjection.codec?.toJson(model));

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
export const anyFilter = fc
	.array(anyOneFilter, { maxLength: 3 })
	.map((filters): RecordingsFilter => Object.assign({}, ...filters));
export const anyOrder = fc.constantFrom<RecordingsOrder>("oldest-first", "newest-first", "deadline");

export const streams = (rows: readonly RecordingRow[]): readonly string[] => rows.map(({ stream }) => stream);
