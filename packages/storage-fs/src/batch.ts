// What appends are made of while they wait, and the bytes of a batch of them.

import type { AppendResult, NewEvent, StoreFault, StreamName } from "@reelkeep/core/ports";
import {
	encodeBody,
	encodeFrame,
	MAX_RECORD_BYTES,
	type RecordBody,
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
	readonly bodies: readonly RecordBody[];
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
	readonly frame: string;
	readonly body: RecordBody;
	/** Of its line. */
	readonly bytes: number;
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
	const frameBytes = FRAME_BYTES + JSON.stringify(stream).length;
	const bodies: RecordBody[] = [];
	let bytes = 0;
	for (const event of events) {
		const body = encodeBody(event, recordedAt);
		if (body.bytes + frameBytes > MAX_RECORD_BYTES) {
			throw new RangeError(`an event takes at most ${MAX_RECORD_BYTES} bytes in the log`);
		}
		bodies.push(body);
		bytes += body.bytes + frameBytes;
	}
	if (bytes > MAX_APPEND_BYTES)
		throw new RangeError(`an append takes at most ${MAX_APPEND_BYTES} bytes in the log`);
	let resolve!: PendingAppend["resolve"];
	let reject!: PendingAppend["reject"];
	const settled = new Promise<AppendResult>((onResolve, onReject) => {
		resolve = onResolve;
		reject = onReject;
	});
	return { stream, hash, firstVersion: 0, follows: 0, position: 0, bodies, bytes, settled, resolve, reject };
}

/** The stream's version once the append is in it. */
export function lastVersion(pending: PendingAppend): number {
	return pending.firstVersion + pending.bodies.length - 1;
}

/** `synced`: the last position that is durable. */
export function batchRecords(batch: readonly PendingAppend[], synced: number): readonly BatchRecord[] {
	const records: BatchRecord[] = [];
	for (const { stream, firstVersion, bodies } of batch) {
		let remaining = bodies.length;
		for (const body of bodies) {
			const version = firstVersion + bodies.length - remaining;
			remaining -= 1;
			const position = synced + records.length + 1;
			const frame = encodeFrame({ position, remaining, synced, stream, version });
			records.push({ frame, body, bytes: recordBytes(frame, body) });
		}
	}
	return records;
}

export function batchBytes(records: readonly BatchRecord[]): Buffer {
	let length = 0;
	for (const { bytes } of records) length += bytes;
	const batch = Buffer.allocUnsafe(length);
	let at = 0;
	for (const { frame, body } of records) at = writeRecord(batch, at, frame, body);
	return batch;
}
