import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Position, toPosition } from "@reelkeep/core/ports";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeEventBatch } from "./encode-event-batch.js";
import type { EventBatch } from "./event-batches.js";
import { SubscribeEventsResponseSchema } from "./gen/reelkeep/v1/recording_service_pb.js";

/** Also what UTF-8 has no bytes for, and lengths on both sides of each longer varint. */
const text = fc.oneof(
	fc.string({ unit: "grapheme" }),
	fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
	fc
		.tuple(fc.constantFrom("a", "é", "云", "😀"), fc.constantFrom(0, 1, 127, 128, 129, 16_383, 16_384))
		.map(([unit, count]) => unit.repeat(count)),
);
const number = fc.oneof(
	fc.maxSafeNat(),
	fc.constantFrom(0, 1, 127, 128, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
);
const event = fc.record({
	id: text,
	type: text,
	schemaVersion: fc.oneof(fc.nat(), fc.constantFrom(0, 127, 128, 2 ** 31 - 1)),
	stream: text,
	version: number,
	position: text.map((one) => one as Position),
	recordedAt: number,
	dataJson: text.map((one) => Buffer.from(one)),
	metadataJson: text.map((one) => Buffer.from(one)),
});
const batch = fc.record({
	events: fc.array(event, { maxLength: 4 }),
	position: text,
	caughtUp: fc.boolean(),
});

const textOf = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

const generated = ({ events, ...rest }: EventBatch): Uint8Array =>
	toBinary(
		SubscribeEventsResponseSchema,
		create(SubscribeEventsResponseSchema, {
			...rest,
			events: events.map((one) => ({
				...one,
				version: BigInt(one.version),
				recordedAt: BigInt(one.recordedAt),
				dataJson: textOf(one.dataJson),
				metadataJson: textOf(one.metadataJson),
			})),
		}),
	);

describe("encodeEventBatch", () => {
	it("makes the bytes that protobuf-es makes, whatever is in them", () => {
		fc.assert(
			fc.property(batch, (one) => {
				const bytes = encodeEventBatch(one);
				expect(bytes.equals(generated(one))).toBe(true);
			}),
			{ numRuns: 500 },
		);
	});

	it("fills its buffer to the last byte", () => {
		const one = {
			id: "e",
			type: "Noted",
			schemaVersion: 1,
			stream: "s",
			version: 300,
			position: toPosition(7),
			recordedAt: 1_790_000_000_000,
		};
		const [dataJson, metadataJson] = ['{"云":1}', "{}"];
		const encoded = { ...one, dataJson: Buffer.from(dataJson), metadataJson: Buffer.from(metadataJson) };
		const bytes = encodeEventBatch({ events: Array(256).fill(encoded), position: "7", caughtUp: true });
		const read = fromBinary(SubscribeEventsResponseSchema, bytes);
		expect(read.events).toHaveLength(256);
		expect(read.events[255]).toMatchObject({
			...one,
			version: 300n,
			recordedAt: 1_790_000_000_000n,
			dataJson,
			metadataJson,
		});
		expect(read).toMatchObject({ position: "7", caughtUp: true });
	});
});
