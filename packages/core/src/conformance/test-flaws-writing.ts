// For the test of the event store's suite only: stores that append wrongly.

import { checkAppend, type EventStore, type NewEvent, toPosition } from "../ports/index.js";
import { pause } from "./pause.js";
import { collect } from "./sample-events.js";
import { broken, type Flaw, finishing, grouping, map } from "./test-flawed-stores.js";

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const writingFlaws: Record<string, Flaw> = {
	"create-once is ignored": {
		breaks: [
			"create-once",
			"whole-batch",
			"concurrent-create",
			"concurrent-streams",
			"call-order",
			"distinct-streams",
		],
		make: broken((store) => ({
			append: (stream, events, expected) =>
				store.append(stream, events, expected === "no-stream" ? "any" : expected),
		})),
	},
	"a duplicate is reported as new": {
		breaks: [
			...["create-once", "whole-batch", "concurrent-create", "concurrent-streams", "call-order"],
			"distinct-streams",
		],
		make: broken((store) => duplicatesAsNew(store, () => true)),
	},
	"a duplicate of one event that comes alone is reported as new": {
		breaks: ["create-once"],
		make: broken((store) => {
			let underWay = 0;
			return duplicatesAsNew(
				{
					...store,
					append: (...args) => {
						underWay += 1;
						return store.append(...args).finally(() => {
							underWay -= 1;
						});
					},
				},
				(stream, events) => underWay === 1 && events.length === 1 && stream === "stream-a",
			);
		}),
	},
	"an append that takes any version is told of a conflict, though it is written": {
		breaks: ["any-version"],
		make: broken((store) => ({
			async append(stream, events, expected) {
				const result = await store.append(stream, events, expected);
				const isSecond = result._tag === "Appended" && result.version === 2 && stream === "stream-a";
				return isSecond && expected === "any" ? { _tag: "WrongExpectedVersion", actualVersion: 1 } : result;
			},
		})),
	},
	"only create-once is checked": {
		breaks: ["expected-version", "call-order", "cause-before-conflict"],
		make: broken((store) => ({
			async append(stream, events, expected) {
				checkAppend(stream, events, expected);
				return store.append(stream, events, typeof expected === "number" ? "any" : expected);
			},
		})),
	},
	"the check is outside the transaction": {
		breaks: ["concurrent-create", "concurrent-streams", "call-order", "cause-before-conflict"],
		make: broken((store) =>
			finishing(store, async (stream, events, expected) => {
				checkAppend(stream, events, expected);
				const taken = JSON.parse(JSON.stringify(events)) as readonly NewEvent[];
				let version = 0;
				for await (const event of store.read(stream)) version = event.version;
				const fits = expected === "any" || version === (expected === "no-stream" ? 0 : expected);
				if (!fits) return { _tag: "WrongExpectedVersion", actualVersion: version };
				await pause(1);
				return store.append(stream, taken, "any");
			}),
		),
	},
	"arguments are not checked": {
		breaks: ["arguments"],
		make: broken((store) => ({
			append: async (stream, events, expected) =>
				typeof expected === "number" && !(Number.isInteger(expected) && expected >= 0)
					? { _tag: "WrongExpectedVersion", actualVersion: 0 }
					: store.append(stream, events, expected),
		})),
	},
	"what stands before an event that JSON cannot hold is kept": {
		breaks: ["refused-append"],
		make: broken((store) => ({
			async append(stream, events, expected) {
				const impossible = events.findIndex?.((event) => !isJson(event)) ?? -1;
				if (impossible > 0) await store.append(stream, events.slice(0, impossible), expected);
				return store.append(stream, events, expected);
			},
		})),
	},
	"a refused append has used up its versions": {
		breaks: ["refused-append"],
		make: broken((store) => {
			const used = new Map<string, number>();
			return {
				async append(stream, events, expected) {
					const skipped = used.get(stream) ?? 0;
					if (Array.isArray(events) && !events.every(isJson)) used.set(stream, skipped + events.length);
					if (skipped > 0 && expected !== "any") {
						return { _tag: "WrongExpectedVersion", actualVersion: skipped };
					}
					return store.append(stream, events, expected);
				},
			};
		}),
	},
	"a batch is written in parts": {
		breaks: ["refused-append", "whole-batch", "answer-then-read"],
		make: broken((store) =>
			finishing(store, async (stream, events, expected) => {
				if (events.length !== 3) return store.append(stream, events, expected);
				let result = await store.append(stream, events.slice(0, 1), expected);
				for (const event of events.slice(1)) {
					await pause();
					if (result._tag === "Appended") result = await store.append(stream, [event], "any");
				}
				return result;
			}),
		),
	},
	"a batch is shown in parts": { breaks: ["batch-visibility"], make: grouping("shows a batch in parts") },
	"events are encoded after the call": {
		breaks: ["taken-at-call"],
		make: broken((store) =>
			finishing(store, async (stream, events, expected) => {
				checkAppend(stream, events, expected);
				await Promise.resolve();
				return store.append(stream, events, expected);
			}),
		),
	},
	"what waits in other streams is forgotten": {
		breaks: ["concurrent-streams", "cause-before-conflict"],
		make: grouping("forgets what waits in other streams"),
	},
	"the first of several appends to a stream that is there is looked up": {
		breaks: ["call-order"],
		make: broken((store) => {
			const [there, busy] = [new Set<string>(), new Set<string>()];
			return finishing(store, async (stream, events, expected) => {
				checkAppend(stream, events, expected);
				const taken = structuredClone(events);
				if (there.has(stream) && !busy.has(stream)) {
					busy.add(stream);
					await pause(1);
					busy.delete(stream);
				}
				there.add(stream);
				return store.append(stream, taken, expected);
			});
		}),
	},
	"a conflict is told before its cause is durable": {
		breaks: ["cause-before-conflict"],
		make: grouping("tells of a conflict at once"),
	},
	"an append is answered before it is shown": {
		breaks: ["cause-before-conflict", "answer-then-read"],
		make: grouping("answers before it shows"),
	},
	"an answer tells the position of the whole group": {
		breaks: ["call-order", "answer-then-read"],
		make: grouping("tells the position of the whole group"),
	},
	"an answer tells the version of the stream, not of the append": {
		breaks: ["call-order", "answer-then-read"],
		make: broken((store) =>
			finishing(store, async (stream, events, expected) => {
				const result = await store.append(stream, events, expected);
				if (result._tag !== "Appended") return result;
				return { ...result, version: (await collect(store.read(stream))).length };
			}),
		),
	},
	"metadata is dropped": {
		breaks: ["append-and-read"],
		make: broken((store) => ({
			read: (stream, options) =>
				map(store.read(stream, options), (event) => Object.freeze({ ...event, metadata: Object.freeze({}) })),
		})),
	},
	"nobody is hinted at": { breaks: ["hint"], make: broken(() => ({ onAppended: () => () => undefined })) },
	"a hint stops for everybody with the same listener": {
		breaks: ["hint"],
		make: broken((store) => {
			const listeners = new Set<() => void>();
			store.onAppended(() => {
				for (const hint of listeners) hint();
			});
			return {
				onAppended(hint) {
					listeners.add(hint);
					return () => listeners.delete(hint);
				},
			};
		}),
	},
	"hints do not stop": {
		breaks: ["hint"],
		make: broken((store) => ({
			onAppended(hint) {
				store.onAppended(hint);
				return () => undefined;
			},
		})),
	},
};

/** Answers as if it had written, where `isMistaken`. */
function duplicatesAsNew(
	store: EventStore,
	isMistaken: (stream: string, events: readonly NewEvent[]) => boolean,
): Pick<EventStore, "append"> {
	return {
		async append(stream, events, expected) {
			const appending = store.append(stream, events, expected);
			const mistaken = isMistaken(stream, events);
			const result = await appending;
			if (result._tag === "Appended" || expected !== "no-stream" || !mistaken) return result;
			const position = toPosition((await collect(store.readAll())).length);
			return { _tag: "Appended", version: result.actualVersion, position };
		},
	};
}

function isJson(event: NewEvent): boolean {
	try {
		JSON.stringify(event);
		return true;
	} catch {
		return false;
	}
}
