// Holds what is pending of every stream: the projection's folds, and what the archiver has just learnt itself.

import type { RecordedEvent, StreamName } from "@reelkeep/core/ports";
import {
	evolvePending,
	initialPending,
	type NotedFailure,
	noteFailure,
	type PendingRecording,
} from "./pending.js";

export interface PendingSet {
	/** Folds one event in. *Errors*: throws a `TypeError` when it does not decode; the set is as before. */
	apply(event: RecordedEvent): void;
	/** Notes a failed attempt; nothing happens when the recording rests by now, or has a newer link than `newestLink`. */
	note(stream: StreamName, newestLink: string, failure: NotedFailure): void;
	/** Puts the next attempt off, without a word about why; under the same condition. */
	postpone(stream: StreamName, newestLink: string, nextAttemptAt: number): void;
	/** Forgets a recording that came to rest with `links`, before the log's tail says so; not one that a newer link reopened. */
	remove(stream: StreamName, links: readonly string[]): void;
	get(stream: StreamName): PendingRecording | undefined;
	all(): Iterable<PendingRecording>;
	size(): number;
}

/**
 * Makes an empty set; `changed` is told what is pending of a stream from now on. It is rebuilt from the log at every
 * start, so nothing of it is ever stored.
 */
export function createPendingSet(
	changed: (stream: StreamName, pending: PendingRecording | undefined) => void,
): PendingSet {
	const byStream = new Map<StreamName, PendingRecording>();
	const put = (stream: StreamName, pending: PendingRecording | undefined): void => {
		if (pending === byStream.get(stream)) return;
		if (pending === undefined) byStream.delete(stream);
		else byStream.set(stream, pending);
		changed(stream, pending);
	};
	return {
		apply(event) {
			put(event.stream, evolvePending(byStream.get(event.stream) ?? initialPending, event));
		},
		note(stream, newestLink, failure) {
			const pending = byStream.get(stream);
			if (pending?.newestLink === newestLink) put(stream, noteFailure(pending, failure));
		},
		postpone(stream, newestLink, nextAttemptAt) {
			const pending = byStream.get(stream);
			if (pending?.newestLink === newestLink) put(stream, { ...pending, nextAttemptAt });
		},
		remove(stream, links) {
			const pending = byStream.get(stream);
			if (pending !== undefined && links.includes(pending.newestLink)) put(stream, undefined);
		},
		get: (stream) => byStream.get(stream),
		all: () => byStream.values(),
		size: () => byStream.size,
	};
}
