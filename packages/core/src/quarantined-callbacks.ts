// What is in quarantine, and what became of it: folded from the log.

import type { Deadline } from "./deadline.js";
import { type CallbackRedriven, decodeEvent } from "./events.js";
import type { RecordedEvent, StreamName } from "./ports/event-store.js";
import type { DecodeIssue } from "./ports/ingress.js";

/** The types of the events that tell what is in quarantine. */
export const QUARANTINE_TYPES: readonly string[] = ["CallbackQuarantined", "CallbackRedriven"];

/** One authentic callback that could not be decoded when it came; its body stays in the log. */
export interface QuarantinedCallback {
	readonly stream: StreamName;
	readonly appKey: string;
	/** UTC milliseconds. */
	readonly receivedAt: number;
	/** Of its body, as the two below. */
	readonly bytes: number;
	readonly sha256: string;
	readonly issues: readonly DecodeIssue[];
	readonly deadline: Deadline;
	/** Once it could be decoded: it is in quarantine no more. */
	readonly redriven?: Pick<CallbackRedriven, "recording" | "outcome"> & { readonly at: number };
}

/**
 * Every callback that ever came into quarantine, by stream, in the order in which they came. Only events of
 * `QUARANTINE_TYPES` are looked at: `foldQuarantine(store.readAll({ types: QUARANTINE_TYPES }))`.
 * *Shape*: some 2 KiB of memory for each at most.
 */
export async function foldQuarantine(
	events: AsyncIterable<RecordedEvent>,
): Promise<ReadonlyMap<StreamName, QuarantinedCallback>> {
	const callbacks = new Map<StreamName, QuarantinedCallback>();
	for await (const recorded of events) {
		if (!QUARANTINE_TYPES.includes(recorded.type)) continue;
		const event = decodeEvent(recorded);
		if (event?.type === "CallbackQuarantined") {
			const { stream, recordedAt, data } = event;
			const { appKey, bytes, sha256, issues, deadline } = data;
			callbacks.set(stream, { stream, appKey, receivedAt: recordedAt, bytes, sha256, issues, deadline });
		}
		if (event?.type === "CallbackRedriven") {
			const { recording, outcome } = event.data;
			const callback = callbacks.get(event.stream);
			const redriven = { recording, outcome, at: event.recordedAt };
			// A repair may have lost what came before it.
			if (callback !== undefined) callbacks.set(event.stream, { ...callback, redriven });
		}
	}
	return callbacks;
}
