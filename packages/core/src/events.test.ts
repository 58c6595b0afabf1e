import { describe, expect, expectTypeOf, test } from "vitest";
import {
	decodeEvent,
	EVENT_TYPES,
	type ReelkeepEvent,
	toUnknownEvent,
	type UnknownEvent,
	type VideoReceipt,
} from "./events.js";
import { type RecordedEvent, toPosition } from "./ports/index.js";

const recorded = (type: string, data: RecordedEvent["data"], schemaVersion = 1): RecordedEvent => ({
	id: "event-1",
	type,
	schemaVersion,
	data,
	metadata: {},
	stream: "recording-0",
	version: 1,
	position: toPosition(7),
	recordedAt: 0,
});

describe("decoding a stored event", () => {
	test("of ours that is damaged throws, names its place, and shows none of its data", () => {
		const damaged = recorded("LinkExpired", { cause: "marker-4711", attempts: 1, message: "m" });
		expect(() => decodeEvent(damaged)).toThrow("event event-1 at position 7 is no LinkExpired");
		expect(() => decodeEvent(damaged)).not.toThrow(/marker-4711/);
	});

	test("of a type or a schema version that this release does not know passes it on", () => {
		expect(decodeEvent(recorded("VideoErased", {}))).toBeUndefined();
		expect(decodeEvent(recorded("toString", {}))).toBeUndefined();
		const newer = EVENT_TYPES.LinkExpired.schemaVersion + 1;
		expect(decodeEvent(recorded("LinkExpired", { anything: 1 }, newer))).toBeUndefined();
	});

	test("keeps members that this release does not know", () => {
		const data = { cause: "refused", attempts: 1, message: "m", added: "later" };
		expect(decodeEvent(recorded("LinkExpired", data))?.data).toEqual(data);
	});
});

test("a switch on type narrows what a subscription hands over", () => {
	const receiptOf = (event: ReelkeepEvent | UnknownEvent): VideoReceipt | undefined => {
		if (event.type === "RecordingArchived") {
			expectTypeOf(event.data.receipt).toEqualTypeOf<VideoReceipt>();
			return event.data.receipt;
		}
		return undefined;
	};
	const receipt = { location: "l", bytes: 1, sha256: "s", lengthVerified: true };
	const archived = recorded("RecordingArchived", { receipt, attempts: 1, adopted: false });
	expect(receiptOf(decodeEvent(archived) as ReelkeepEvent)).toEqual(receipt);
	expect(receiptOf(toUnknownEvent(recorded("Other", {})))).toBeUndefined();
});
