// `SubscribeEventsResponse` as bytes: those that protobuf-es makes, but in one buffer. A replay of the log is made of them.

import type { EncodedEvent } from "@reelkeep/core/ports";
import type { EventBatch } from "./event-batches.js";

/** A field's number and wire type, as the byte before its value: all numbers here are below 16. */
const varintTag = (field: number): number => field << 3;
const bytesTag = (field: number): number => (field << 3) | 2;

const RESPONSE = { events: bytesTag(1), position: bytesTag(2), caughtUp: varintTag(3) };
const EVENT = {
	id: bytesTag(1),
	type: bytesTag(2),
	schemaVersion: varintTag(3),
	stream: bytesTag(4),
	version: varintTag(5),
	position: bytesTag(6),
	recordedAt: varintTag(7),
	dataJson: bytesTag(8),
	metadataJson: bytesTag(9),
};

/** Numbers that are no integers from 0 to 2^53 - 1 are not written as they are: the log has none. */
export function encodeEventBatch({ events, position, caughtUp }: EventBatch): Buffer {
	const measured = events.map(measure);
	const positionBytes = Buffer.byteLength(position);
	let length = fieldBytes(positionBytes) + (caughtUp ? 2 : 0);
	for (const { length: bytes } of measured) length += 1 + varintBytes(bytes) + bytes;
	const into = { buffer: Buffer.allocUnsafe(length), at: 0 };
	for (const event of measured) putEvent(into, event);
	putText(into, RESPONSE.position, position, positionBytes);
	if (caughtUp) putNumber(into, RESPONSE.caughtUp, 1);
	return into.buffer;
}

/** An event and how many bytes of UTF-8 its texts have; `length`: of its message. */
interface Measured {
	readonly event: EncodedEvent;
	readonly id: number;
	readonly type: number;
	readonly stream: number;
	readonly position: number;
	readonly length: number;
}

function measure(event: EncodedEvent): Measured {
	const id = Buffer.byteLength(event.id);
	const type = Buffer.byteLength(event.type);
	const stream = Buffer.byteLength(event.stream);
	const position = Buffer.byteLength(event.position);
	const texts = fieldBytes(id) + fieldBytes(type) + fieldBytes(stream) + fieldBytes(position);
	const json = fieldBytes(event.dataJson.length) + fieldBytes(event.metadataJson.length);
	const numbers =
		numberBytes(event.schemaVersion) + numberBytes(event.version) + numberBytes(event.recordedAt);
	return { event, id, type, stream, position, length: texts + json + numbers };
}

interface Into {
	readonly buffer: Buffer;
	at: number;
}

function putEvent(into: Into, { event, length, id, type, stream, position }: Measured): void {
	into.buffer[into.at++] = RESPONSE.events;
	putVarint(into, length);
	putText(into, EVENT.id, event.id, id);
	putText(into, EVENT.type, event.type, type);
	putNumber(into, EVENT.schemaVersion, event.schemaVersion);
	putText(into, EVENT.stream, event.stream, stream);
	putNumber(into, EVENT.version, event.version);
	putText(into, EVENT.position, event.position, position);
	putNumber(into, EVENT.recordedAt, event.recordedAt);
	putBytes(into, EVENT.dataJson, event.dataJson);
	putBytes(into, EVENT.metadataJson, event.metadataJson);
}

/** What is empty or 0 is left out, as proto3 has it. */
function putText(into: Into, tag: number, text: string, bytes: number): void {
	if (bytes === 0) return;
	into.buffer[into.at++] = tag;
	putVarint(into, bytes);
	// The same bytes, sooner, where all are ASCII.
	into.at += into.buffer.write(text, into.at, bytes === text.length ? "latin1" : "utf8");
}

function putBytes(into: Into, tag: number, value: Uint8Array): void {
	if (value.length === 0) return;
	into.buffer[into.at++] = tag;
	putVarint(into, value.length);
	into.buffer.set(value, into.at);
	into.at += value.length;
}

function putNumber(into: Into, tag: number, value: number): void {
	if (value === 0) return;
	into.buffer[into.at++] = tag;
	putVarint(into, value);
}

function putVarint(into: Into, value: number): void {
	let rest = value;
	for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) into.buffer[into.at++] = (rest % 0x80) | 0x80;
	into.buffer[into.at++] = rest;
}

function varintBytes(value: number): number {
	let bytes = 1;
	for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes += 1;
	return bytes;
}

const fieldBytes = (bytes: number): number => (bytes === 0 ? 0 : 1 + varintBytes(bytes) + bytes);
const numberBytes = (value: number): number => (value === 0 ? 0 : 1 + varintBytes(value));
