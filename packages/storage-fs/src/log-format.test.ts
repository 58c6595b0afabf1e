import type { NewEvent } from "@reelkeep/core/ports";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	decodeHeader,
	decodeRecord,
	decodeRecordEncoded,
	encodeBody,
	encodeFrame,
	encodeHeader,
	forEachLine,
	type RecordFrame,
	readFrame,
	recordBytes,
	writeRecord,
} from "./log-format.js";
import { LogIndex } from "./log-index.js";
import { scanSegment } from "./log-scan.js";
import { createStreamHasher } from "./stream-hash.js";

const event = fc.record({
	id: fc.string({ unit: "binary", minLength: 1 }),
	type: fc.string({ minLength: 1 }),
	schemaVersion: fc.integer({ min: 1, max: 99 }),
	data: fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()),
	metadata: fc.record({ requestId: fc.string({ unit: "grapheme" }) }),
});
const ascii = fc.string({
	unit: fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code)),
	minLength: 1,
	maxLength: 128,
});
const frame = fc.record({
	position: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
	remaining: fc.integer({ min: 0, max: 63 }),
	synced: fc.nat(),
	stream: ascii,
	version: fc.integer({ min: 1 }),
});

function encode(recordFrame: RecordFrame, newEvent: NewEvent, recordedAt = 1): Buffer {
	const prefix = encodeFrame(recordFrame);
	const body = encodeBody(newEvent, recordedAt);
	const line = Buffer.alloc(recordBytes(prefix, body));
	writeRecord(line, 0, prefix, body);
	return line;
}

describe("a record", () => {
	test("is damaged when any single bit of it flips", () => {
		const newEvent: NewEvent = { id: "é", type: "T", schemaVersion: 1, data: { a: [1, "游"] }, metadata: {} };
		const line = encode({ position: 7, remaining: 0, synced: 6, stream: "s", version: 1 }, newEvent);
		const body = line.subarray(0, -1);
		for (let bit = 0; bit < body.length * 8; bit += 1) {
			const damaged = Buffer.from(body);
			damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
			expect(readFrame(damaged)).toBeUndefined();
			expect(decodeRecord(damaged)).toBeUndefined();
			expect(decodeRecordEncoded(damaged)).toBeUndefined();
		}
	});

	test("is damaged at any length but its own", () => {
		fc.assert(
			fc.property(frame, event, fc.nat(), (recordFrame, newEvent, cut) => {
				const line = encode(recordFrame, newEvent as NewEvent).subarray(0, -1);
				expect(decodeRecord(line.subarray(0, cut % line.length))).toBeUndefined();
				expect(decodeRecord(Buffer.concat([line, Buffer.from("}")]))).toBeUndefined();
			}),
		);
	});

	test("gives back what was encoded, frozen, on one line of JSON", () => {
		fc.assert(
			fc.property(frame, event, fc.nat(), (recordFrame, newEvent, recordedAt) => {
				const line = encode(recordFrame, newEvent as NewEvent, recordedAt);
				expect(line.indexOf("\n")).toBe(line.length - 1);
				const text = line.subarray(0, -1);
				expect(Object.keys(JSON.parse(text.toString())).at(-1)).toBe("crc");
				expect(readFrame(text)).toEqual(recordFrame);
				const decoded = decodeRecord(text);
				const { position, stream, version } = recordFrame;
				const expected = JSON.parse(
					JSON.stringify({ ...newEvent, recordedAt, stream, version, position: String(position) }),
				);
				expect(decoded).toEqual(expected);
				expect(Object.isFrozen(decoded) && Object.isFrozen(decoded?.data)).toBe(true);
			}),
		);
	});

	test("is cut out of its line as it was encoded, whatever it holds", () => {
		const member = fc.constantFrom("data", "metadata", "crc", "id", "é", '"');
		const nested = fc.dictionary(
			fc.oneof(member, fc.string()),
			fc.oneof(fc.jsonValue(), fc.record({ metadata: fc.jsonValue() })),
		);
		fc.assert(
			fc.property(frame, event, nested, nested, (recordFrame, newEvent, data, metadata) => {
				const line = encode(recordFrame, { ...newEvent, data, metadata } as NewEvent).subarray(0, -1);
				const decoded = decodeRecord(line);
				const { dataJson, metadataJson, ...encoded } = decodeRecordEncoded(line) ?? {};
				const parsed = [dataJson, metadataJson].map((json) => JSON.parse(Buffer.from(json ?? []).toString()));
				expect({ ...encoded, data: parsed[0], metadata: parsed[1] }).toEqual(decoded);
			}),
		);
	});

	test("of data that is nested very deeply is frozen all the way down", () => {
		let data: Record<string, unknown> = {};
		for (let depth = 0; depth < 2000; depth += 1) data = { deeper: data };
		const line = encode(
			{ position: 1, remaining: 0, synced: 0, stream: "s", version: 1 },
			{
				id: "i",
				type: "T",
				schemaVersion: 1,
				data: data as NewEvent["data"],
				metadata: {},
			},
		);
		expect(decodeRecord(line.subarray(0, -1))).toBeDefined();
	});
});

test("a header tells segment and first position, and is told from other lines", () => {
	const line = encodeHeader({ segment: 12, firstPosition: 34 }).subarray(0, -1);
	expect(decodeHeader(line)).toEqual({ _tag: "Header", header: { segment: 12, firstPosition: 34 } });
	expect(JSON.parse(line.toString())).toMatchObject({ reelkeep: "event-log", format: 1, segment: 12 });
	expect(decodeHeader(Buffer.from(line.toString().replace("12", "13")))).toEqual({ _tag: "NoHeader" });
	for (const other of ["", "null", "{}", "[]", '"reelkeep"']) {
		expect(decodeHeader(Buffer.from(other))).toEqual({ _tag: "NoHeader" });
	}
});

test("a log that was cut, flipped or overwritten anywhere never gives an event that was not appended", async () => {
	const groups = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 });
	const damage = fc.array(fc.record({ at: fc.nat(), with: fc.uint8Array({ minLength: 1, maxLength: 40 }) }), {
		maxLength: 4,
	});
	await fc.assert(
		fc.asyncProperty(groups, damage, fc.nat(), async (sizes, damages, cut) => {
			const { log, appended } = logOf(sizes);
			const damaged = Buffer.from(log.subarray(0, log.length - (cut % 3 === 0 ? cut % log.length : 0)));
			for (const { at, with: bytes } of damages)
				damaged.set(bytes.slice(0, Math.max(0, damaged.length - (at % damaged.length))), at % damaged.length);
			const index = new LogIndex(createStreamHasher("0001020304050607"));
			index.startSegment(0);
			const file = fileOf(damaged);
			await scanSegment({ file, index, to: damaged.length, findHead: async () => undefined });
			const found: string[] = [];
			forEachLine(damaged.subarray(0, index.active.bytes), (line) => found.push(line.toString()));
			expect(found).toEqual(appended.slice(0, index.position));
			// Whole appends only.
			const ends = sizes.map((_, at) => sizes.slice(0, at + 1).reduce((sum, size) => sum + size, 0));
			expect([0, ...ends]).toContain(index.position);
		}),
	);
});

function logOf(sizes: readonly number[]): { readonly log: Buffer; readonly appended: readonly string[] } {
	const lines: Buffer[] = [];
	for (const [group, size] of sizes.entries()) {
		const synced = lines.length;
		for (let at = 0; at < size; at += 1) {
			const position = lines.length + 1;
			const newEvent: NewEvent = { id: `e${position}`, type: "T", schemaVersion: 1, data: {}, metadata: {} };
			lines.push(
				encode(
					{ position, remaining: size - at - 1, synced, stream: `s${group}`, version: at + 1 },
					newEvent,
				),
			);
		}
	}
	return { log: Buffer.concat(lines), appended: lines.map((line) => line.subarray(0, -1).toString()) };
}

function fileOf(bytes: Buffer) {
	return {
		read: async (target: Uint8Array, offset: number) => {
			const part = bytes.subarray(offset, offset + target.byteLength);
			target.set(part);
			return part.length;
		},
	};
}
