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
	/** Of those that are ours. */
	all(): Iterable<PendingRecording>;
	/** Of those that are ours. */
	size(): number;
	/** Which streams are ours from now on; before the first call, all. What is another's is known, and nothing else. */
	assign(isOurs: (stream: StreamName) => boolean): void;
}

/**
 * Makes an empty set; `changed` is told what is pending of a stream that is ours from now on. It is rebuilt from the log at
 * every start, so nothing of it is ever stored.
 */
export function createPendingSet(
	changed: (stream: StreamName, pending: PendingRecording | undefined) => void,
): PendingSet {
	const ours = new Map<StreamName, PendingRecording>();
	const others = new Map<StreamName, PendingRecording>();
	let isOurs = (_stream: StreamName): boolean => true;
	const get = (stream: StreamName) => ours.get(stream) ?? others.get(stream);
	const put = (stream: StreamName, pending: PendingRecording | undefined): void => {
		if (pending === get(stream)) return;
		const place = isOurs(stream) ? ours : others;
		if (pending === undefined) place.delete(stream);
		else place.set(stream, pending);
		if (place === ours) changed(stream, pending);
	};
	const move = (from: Map<StreamName, PendingRecording>, to: Map<StreamName, PendingRecording>): void => {
		for (const [stream, pending] of from) {
			if (isOurs(stream) === (from === ours)) continue;
			from.delete(stream);
			to.set(stream, pending);
			changed(stream, to === ours ? pending : undefined);
		}
	};
	return {
		apply(event) {
			put(event.stream, evolvePending(get(event.stream) ?? initialPending, event));
		},
		note(stream, newestLink, failure) {
			const pending = get(stream);
			if (pending?.newestLink === newestLink) put(stream, noteFailure(pending, failure));
		},
		postpone(stream, newestLink, nextAttemptAt) {
			const pending = get(stream);
			if (pending?.newestLink === newestLink) put(stream, { ...pending, nextAttemptAt });
		},
		remove(stream, links) {
			const pending = get(stream);
			if (pending !== undefined && links.includes(pending.newestLink)) put(stream, undefined);
		},
		get,
		all: () => ours.values(),
		size: () => ours.size,
		assign(next) {
			isOurs = next;
			move(ours, others);
			move(others, ours);
		},
	};
}
