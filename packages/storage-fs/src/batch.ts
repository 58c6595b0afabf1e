// What appends are made of while they wait, and the bytes of a batch of them.

import type { AppendResult, NewEvent, StoreFault, StreamName } from "@reelkeep/core/ports";
import {
	encodeBody,
	encodeFrame,
	MAX_RECORD_BYTES,
	type RecordFrame,
	recordBytes,
	writeRecord,
} from "./log-format.js";
import type { StreamHash } from "./stream-hash.js";

/** One append: it is written by one call and held in memory whole. */
const MAX_APPEND_BYTES = 16 * 1024 * 1024;
/** More than any frame of a record without its stream name, checksum included. */
const FRAME_BYTES = 160;

/** An append that is not durable yet. */
export interface PendingAppend {
	readonly stream: StreamName;
	readonly hash: StreamHash;
	/** 0 until it is decided. */
	firstVersion: number;
	readonly bodies: readonly string[];
	readonly bodyBytes: readonly number[];
	/** At most what it takes in the file. */
	readonly bytes: number;
	/** The pending append that it follows in its stream, until that is durable; else the position of the event, or 0. */
	follows: PendingAppend | number;
	/** Of its last event; 0 until it is durable. */
	position: number;
	readonly settled: Promise<AppendResult>;
	readonly resolve: (result: AppendResult) => void;
	readonly reject: (fault: StoreFault) => void;
}

export interface BatchRecord {
	readonly frame: RecordFrame;
	readonly prefix: string;
	readonly body: string;
	readonly length: number;
}

/**
 * Takes the events as they are now. Throws a `RangeError` for an append that is too large, and what `JSON.stringify`
 * throws.
 */
export function encodeAppend(
	stream: StreamName,
	hash: StreamHash,
	events: readonly NewEvent[],
	recordedAt: number,
): PendingAppend {
	if (!Number.isSafeInteger(recordedAt)) throw new RangeError("the clock must return whole milliseconds");
	const bodies = events.map((event) => encodeBody(event, recordedAt));
	const bodyBytes = bodies.map((body) => Buffer.byteLength(body));
	const frameBytes = FRAME_BYTES + JSON.stringify(stream).length;
	if (bodyBytes.some((bytes) => bytes + frameBytes > MAX_RECORD_BYTES)) {
		throw new RangeError(`an event takes at most ${MAX_RECORD_BYTES} bytes in the log`);
	}
	const bytes = bodyBytes.reduce((sum, length) => sum + length + frameBytes, 0);
	if (bytes > MAX_APPEND_BYTES)
		throw new RangeError(`an append takes at most ${MAX_APPEND_BYTES} bytes in the log`);
	let resolve!: PendingAppend["resolve"];
	let reject!: PendingAppend["reject"];
	const settled = new Promise<AppendResult>((onResolve, onReject) => {
		resolve = onResolve;
		reject = onReject;
	});
	return {
		stream,
		hash,
		firstVersion: 0,
		follows: 0,
		position: 0,
		bodies,
		bodyBytes,
		bytes,
		settled,
		resolve,
		reject,
	};
}

/** The stream's version once the append is in it. */
export function lastVersion(pending: PendingAppend): number {
	return pending.firstVersion + pending.bodies.length - 1;
}

/** `synced`: the last position that is durable. */
export function batchRecords(batch: readonly PendingAppend[], synced: number): readonly BatchRecord[] {
	const records: BatchRecord[] = [];
	for (const { stream, firstVersion, bodies, bodyBytes } of batch) {
		for (const [at, body] of bodies.entries()) {
			const frame: RecordFrame = {
				position: synced + records.length + 1,
				remaining: bodies.length - at - 1,
				synced,
				stream,
				version: firstVersion + at,
			};
			const prefix = encodeFrame(frame);
			records.push({ frame, prefix, body, length: recordBytes(prefix, bodyBytes[at] as number) });
		}
	}
	return records;
}

export function batchBytes(records: readonly BatchRecord[]): Buffer {
	const bytes = Buffer.allocUnsafe(records.reduce((sum, { length }) => sum + length, 0));
	let at = 0;
	for (const { prefix, body, length } of records) {
		writeRecord(bytes.subarray(at, at + length), prefix, body);
		at += length;
	}
	return bytes;
}
