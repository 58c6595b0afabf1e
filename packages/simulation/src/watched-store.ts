// A store under the eyes of the model: whatever is asked of it and whatever it answers is checked, whoever asks.

import {
	type EventStore,
	isStoreFault,
	type ReadAllOptions,
	type ReadStreamOptions,
	type RecordedEvent,
	type StoreFaultReason,
	type StreamName,
} from "@reelkeep/core/ports";
import type { Chronicle } from "./chronicle.js";
import type { Model } from "./model.js";
import { type Onlooker, type Reading, readingOfLog, readingOfStream } from "./reading.js";

export interface Watch {
	readonly who: string;
	readonly model: Model;
	readonly chronicle: Chronicle;
	readonly now: () => number;
	readonly session: number;
	/** It sees at once what anybody was told of; a reader in another process may lag behind. */
	readonly isOwner: boolean;
	/** Whether a fault is no surprise now. */
	mayFail(reason: StoreFaultReason): boolean;
}

export function watchStore(store: EventStore, watch: Watch): EventStore {
	const { who, model, chronicle, now, session, isOwner } = watch;
	const report = (violation: string): void => chronicle.violate(violation);
	const onlooker: Onlooker = { who, model, now, report };
	let hasFailed = false;
	/** What this handle has shown already. */
	const shown = { position: 0, versions: new Map<StreamName, number>() };

	async function* watched(
		events: AsyncIterable<RecordedEvent>,
		reading: Reading,
		signal: AbortSignal | undefined,
	): AsyncGenerator<RecordedEvent> {
		try {
			for await (const event of events) {
				reading.take(event);
				shown.position = Math.max(shown.position, Number(event.position));
				shown.versions.set(event.stream, Math.max(shown.versions.get(event.stream) ?? 0, event.version));
				chronicle.count("read.events");
				yield event;
			}
		} catch (error) {
			if (!signal?.aborted) judgeFault(error, `${who} reads`, watch);
			throw error;
		}
		reading.end();
	}

	return {
		supports: store.supports,
		onAppended: (hint) => store.onAppended(hint),
		async close() {
			try {
				await store.close();
			} catch (error) {
				chronicle.count("close.failed");
				judgeFault(error, `${who} closes`, watch);
			}
		},
		async append(stream, events, expected) {
			const submission = model.submit(stream, events, expected, { session, at: now() });
			const what = `${who} appends ${events.map(({ id }) => id).join(" ")} to ${stream}, expecting ${expected}`;
			chronicle.say(`     ${what}`);
			try {
				const result = await store.append(stream, events, expected);
				const told =
					result._tag === "Appended"
						? `${result.version} at ${result.position}`
						: `no: ${result.actualVersion}`;
				chronicle.say(`     ${what}: ${told}`);
				chronicle.count(result._tag === "Appended" ? "append.acknowledged" : "append.duplicate");
				if (hasFailed) chronicle.count("append.after-failure");
				model.answered(submission, result);
				return result;
			} catch (error) {
				chronicle.say(`     ${what}: ${String(error)}`);
				chronicle.count("append.rejected");
				hasFailed ||= isStoreFault(error) && error.reason === "failed";
				model.rejected(submission);
				judgeFault(error, what, watch);
				throw error;
			}
		},
		read(stream: StreamName, options: ReadStreamOptions = {}) {
			const last = isOwner ? model.lengthOf(stream) : (shown.versions.get(stream) ?? 0);
			return watched(
				store.read(stream, options),
				readingOfStream(onlooker, stream, options, last),
				options.signal,
			);
		},
		readAll(options: ReadAllOptions = {}) {
			const last = isOwner ? model.lastPosition : shown.position;
			return watched(store.readAll(options), readingOfLog(onlooker, options, last), options.signal);
		},
	};
}

/** A store rejects with faults only, and only with those that can be. */
export function judgeFault(error: unknown, what: string, watch: Pick<Watch, "chronicle" | "mayFail">): void {
	if (!isStoreFault(error)) {
		watch.chronicle.violate(`${what}: ${String(error)}, which is no fault of a store`);
		return;
	}
	watch.chronicle.count(`told.${error.reason}`);
	if (!watch.mayFail(error.reason)) watch.chronicle.violate(`${what}: ${error.reason}: ${error.message}`);
}
