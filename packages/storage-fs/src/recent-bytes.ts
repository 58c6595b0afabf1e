// The newest bytes of the log, kept in memory: who follows the log needs no disk, though many follow it.

import type { SegmentFiles } from "./segment-files.js";

/** Several full batches: more than a follower that keeps up lags behind. */
const MAX_BYTES = 256 * 1024;

interface Batch {
	readonly segment: number;
	readonly start: number;
	readonly bytes: Buffer;
}

export interface RecentBytes {
	/** From memory what is there, else from the file. Bytes that nobody may change. */
	readonly files: Pick<SegmentFiles, "read">;
	/** Takes over a batch that is durable now, at byte `start` of its segment, behind the one before. */
	add(segment: number, start: number, bytes: Buffer): void;
}

export function createRecentBytes(files: Pick<SegmentFiles, "read">): RecentBytes {
	/** Of one segment, each behind the other. */
	let batches: Batch[] = [];
	let kept = 0;
	const find = (segment: number, from: number, to: number): Buffer | undefined => {
		const first = batches.findIndex(({ start, bytes }) => from < start + bytes.length);
		const batch = batches[first];
		if (batch === undefined || batch.segment !== segment || from < batch.start) return undefined;
		const end = batch.start + batch.bytes.length;
		if (to <= end) return batch.bytes.subarray(from - batch.start, to - batch.start);
		const last = batches.at(-1) as Batch;
		if (to > last.start + last.bytes.length) return undefined;
		const whole = Buffer.concat(batches.slice(first).map(({ bytes }) => bytes));
		return whole.subarray(from - batch.start, to - batch.start);
	};
	return {
		files: { read: async (segment, from, to) => find(segment, from, to) ?? files.read(segment, from, to) },
		add(segment, start, bytes) {
			if (batches[0]?.segment !== segment) [batches, kept] = [[], 0];
			batches.push({ segment, start, bytes });
			kept += bytes.length;
			while (kept > MAX_BYTES) kept -= batches.shift()?.bytes.length ?? 0;
		},
	};
}
