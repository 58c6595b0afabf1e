import * as t from "io-ts";
import { describe, expect, test } from "vitest";
import { EVENT_TYPES } from "./events.js";
import { freezeDeep } from "./ports/freeze-deep.js";
import { type RecordedEvent, toPosition } from "./ports/index.js";
import { decodeAs, eventSchema, upcastFrom } from "./upcast.js";

/** A type that has changed twice: a time had another unit, then came a list. */
const ClipCutV1 = t.type({ seconds: t.number });
const ClipCutV2 = t.type({ lengthMs: t.number });
const ClipCut = t.type({ parts: t.array(t.type({ lengthMs: t.number })) }, "ClipCut");
const schema = eventSchema(
	ClipCut,
	upcastFrom(ClipCutV1, ({ seconds, ...rest }) => ({ ...rest, lengthMs: seconds * 1000 })),
	upcastFrom(ClipCutV2, ({ lengthMs, ...rest }) => ({ ...rest, parts: [{ lengthMs }] })),
);

const stored = (schemaVersion: number, data: RecordedEvent["data"]): RecordedEvent =>
	freezeDeep({
		id: "event-1",
		type: "ClipCut",
		schemaVersion,
		data,
		metadata: { ingress: "test" },
		stream: "clip-0",
		version: 3,
		position: toPosition(7),
		recordedAt: 5,
	});

describe("an event of an earlier schema version", () => {
	test("that is no such event throws, whatever a later version would take, and shows none of its data", () => {
		const damaged = [
			stored(1, { seconds: "marker-4711" }),
			stored(1, { lengthMs: 4711 }),
			stored(1, { parts: [{ lengthMs: 4711 }] }),
			stored(2, { seconds: 4711 }),
		];
		for (const event of damaged) {
			expect(() => decodeAs(schema, event)).toThrow(
				new TypeError("event event-1 at position 7 is no ClipCut"),
			);
		}
	});

	test("throws when a step makes something else than the next version has", () => {
		const wrong = eventSchema(
			ClipCut,
			upcastFrom(ClipCutV1, () => ({ lengthMs: "long" })),
			upcastFrom(ClipCutV2, ({ lengthMs }) => ({ parts: [{ lengthMs }] })),
		);
		expect(() => decodeAs(wrong, stored(1, { seconds: 2 }))).toThrow("is no ClipCut");
		const short = eventSchema(
			ClipCut,
			upcastFrom(ClipCutV1, () => ({ parts: "none" })),
		);
		expect(() => decodeAs(short, stored(1, { seconds: 2 }))).toThrow("is no ClipCut");
	});

	test.each([0, -1, 1.5, Number.NaN])("of which there is none, %d, throws", (version) => {
		expect(() => decodeAs(schema, stored(version, { seconds: 2 }))).toThrow("is no ClipCut");
	});

	test("is read as one of today's: from each version through every later one", () => {
		const today = { parts: [{ lengthMs: 2000 }] };
		for (const event of [stored(1, { seconds: 2 }), stored(2, { lengthMs: 2000 })]) {
			expect(decodeAs(schema, event)).toEqual({ ...event, schemaVersion: 3, data: today });
		}
	});

	test("keeps its id, its place and what else it holds, and is frozen; what the store handed out is untouched", () => {
		const event = stored(1, { seconds: 2, added: { deep: [1] } });
		const before = JSON.stringify(event);
		const decoded = decodeAs(schema, event);
		expect(decoded).toMatchObject({
			id: "event-1",
			version: 3,
			position: "7",
			data: { added: { deep: [1] } },
		});
		expect(Object.isFrozen(decoded)).toBe(true);
		expect(() => decoded?.data.parts.push({ lengthMs: 1 })).toThrow(TypeError);
		expect(JSON.stringify(event)).toBe(before);
	});
});

test("an event of today's version is handed back as it is, one of a later version is not read at all", () => {
	const event = stored(3, { parts: [] });
	expect(decodeAs(schema, event)).toBe(event);
	expect(decodeAs(schema, stored(4, { seconds: 2, parts: [] }))).toBeUndefined();
});

test("an event type of ours has a step for each version but the last", () => {
	for (const { schemaVersion, upcasts } of Object.values(EVENT_TYPES)) {
		expect(schemaVersion).toBe(upcasts.length + 1);
	}
});
