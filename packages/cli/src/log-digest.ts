// What must be the same in a log and its copy: everything of an event but its position, in the order of the log.

import { createHash, type Hash } from "node:crypto";
import type { RecordedEvent } from "@reelkeep/core/ports";

/** One line for each event, without its line feed; the same text for the same event, whichever store it was read from. */
export function eventLine(event: RecordedEvent): string {
	const { id, type, schemaVersion, stream, version, recordedAt, data, metadata } = event;
	return JSON.stringify([id, type, schemaVersion, stream, version, recordedAt, data, metadata]);
}

export interface LogDigest {
	/** Adds the line of the next event. */
	add(line: string): void;
	readonly count: number;
	/** SHA-256 of all lines so far, lower-case hex. */
	sha256(): string;
	/** Another one that has the lines so far, and goes its own way. */
	fork(): LogDigest;
}

export function createLogDigest(): LogDigest {
	return digestBehind(createHash("sha256"), 0);
}

function digestBehind(hash: Hash, lines: number): LogDigest {
	let count = lines;
	return {
		add(line) {
			count += 1;
			hash.update(line).update("\n");
		},
		get count() {
			return count;
		},
		sha256: () => hash.copy().digest("hex"),
		fork: () => digestBehind(hash.copy(), count),
	};
}
