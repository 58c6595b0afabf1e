// Finds the end of a stream: by its hash in the index, and by its name in the log.

import type { StoreFault, StreamName, StreamVersion } from "@reelkeep/core/ports";
import { damagedAt, describePositions } from "./log-files.js";
import { readFrame } from "./log-format.js";
import type { LogIndex } from "./log-index.js";
import type { SegmentFiles } from "./segment-files.js";

/** A stream's last event. */
export interface StreamHead {
	readonly position: number;
	readonly version: StreamVersion;
}

/** Where lines are read from. */
export interface LineSource {
	readonly index: LogIndex;
	readonly files: Pick<SegmentFiles, "read">;
}

/** *Errors*: rejects with a `StoreFault`: `io`, or `corrupt` when what may be its last event is damaged. */
export async function findHead(source: LineSource, stream: StreamName): Promise<StreamHead | undefined> {
	const { index } = source;
	for (const position of index.candidates(index.hash(stream))) {
		const frame = readFrame(await readLine(source, position));
		if (frame?.position !== position) throw damagedEvent(index, position);
		if (frame.stream === stream) return { position, version: frame.version };
	}
	return undefined;
}

/** The line of the event at `position`, without its newline; cut short where the file is. */
export async function readLine({ index, files }: LineSource, position: number): Promise<Buffer> {
	const segment = index.segmentOf(position);
	const bytes = await files.read(segment.segment, segment.offsetOf(position), segment.endOf(position));
	// Behind the line, bytes may stand that belong to no event.
	const end = bytes.indexOf("\n");
	return end === -1 ? bytes : bytes.subarray(0, end);
}

/** The fault for an event that the index knows and that is no longer what was written. */
export function damagedEvent(index: LogIndex, position: number): StoreFault {
	const segment = index.segmentOf(position);
	const what = `${describePositions(position, position)} is not what was written`;
	return damagedAt(segment.segment, segment.offsetOf(position), what);
}
