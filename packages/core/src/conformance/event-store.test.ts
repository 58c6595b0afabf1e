import { describe, expect, test } from "vitest";
import { createMemoryEventStore } from "../memory/event-store.js";
import {
	checkAppend,
	type EventStore,
	isStoreFault,
	type RecordedEvent,
	storeFault,
	toPosition,
} from "../ports/index.js";
import { type EventStoreHarness, eventStoreSuite } from "./event-store.js";

const clock = { now: () => Date.now() };
const harnessOf = (open: () => EventStore) => async (): Promise<EventStoreHarness> => ({
	open: async () => open(),
	dispose: async () => undefined,
});

describe("the memory event store", () => {
	for (const { name, run } of eventStoreSuite(harnessOf(() => createMemoryEventStore({ clock })))) {
		test(name, async (context) => {
			if ((await run()) === "not-supported") context.skip();
		});
	}
});

/** A memory store of which `flaw` replaces some members. */
function broken(flaw: (store: EventStore) => Partial<EventStore>): () => EventStore {
	return () => {
		const store = createMemoryEventStore({ clock });
		return { ...store, ...flaw(store) };
	};
}

async function* map(events: AsyncIterable<RecordedEvent>, change: (event: RecordedEvent) => RecordedEvent) {
	for await (const event of events) yield change(event);
}

// Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause.
const flaws: Record<string, { readonly breaks: readonly string[]; readonly make: () => EventStore }> = {
	"create-once is ignored": {
		breaks: ["create-once", "concurrent-create", "whole-batch"],
		make: broken((store) => ({
			append: (stream, events, expected) =>
				store.append(stream, events, expected === "no-stream" ? "any" : expected),
		})),
	},
	"only create-once is checked": {
		breaks: ["expected-version"],
		make: broken((store) => ({
			async append(stream, events, expected) {
				checkAppend(stream, events, expected);
				return store.append(stream, events, typeof expected === "number" ? "any" : expected);
			},
		})),
	},
	"the check is outside the transaction": {
		breaks: ["concurrent-create"],
		make: broken((store) => ({
			async close() {
				await new Promise((resolve) => setTimeout(resolve, 5));
				await store.close();
			},
			async append(stream, events, expected) {
				checkAppend(stream, events, expected);
				let version = 0;
				for await (const event of store.read(stream)) version = event.version;
				const fits = expected === "any" || version === (expected === "no-stream" ? 0 : expected);
				if (!fits) return { _tag: "WrongExpectedVersion", actualVersion: version };
				await new Promise((resolve) => setTimeout(resolve, 1));
				return store.append(stream, events, "any");
			},
		})),
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
	"a batch is written in parts": {
		breaks: ["whole-batch"],
		make: broken((store) => ({
			async append(stream, events, expected) {
				if (events.length !== 3) return store.append(stream, events, expected);
				let result = await store.append(stream, events.slice(0, 1), expected);
				for (const event of events.slice(1)) {
					await new Promise((resolve) => setTimeout(resolve, 0));
					if (result._tag === "Appended") result = await store.append(stream, [event], "any");
				}
				return result;
			},
		})),
	},
	"a backward read is off by one": {
		breaks: ["stream-reading"],
		make: broken((store) => ({
			read: (stream, options = {}) =>
				store.read(
					stream,
					options.direction === "backward" && options.after !== undefined
						? { ...options, after: options.after + 1 }
						: options,
				),
		})),
	},
	"after is inclusive in the log": {
		breaks: ["global-reading", "no-skipped-events"],
		make: broken((store) => ({
			readAll: (options = {}) =>
				store.readAll(
					options.after === undefined
						? options
						: {
								...options,
								after: toPosition(Number(options.after) + (options.direction === "backward" ? 1 : -1)),
							},
				),
		})),
	},
	"events are handed out unfrozen": {
		breaks: ["immutable"],
		make: broken((store) => ({
			read: (stream, options) => map(store.read(stream, options), (event) => structuredClone(event)),
		})),
	},
	"a slow append is overtaken": {
		breaks: ["no-skipped-events"],
		make: broken((store) => {
			// The log's reader meets some events late, when later ones were shown: the wound of unordered commits.
			const late = new Map<string, number>();
			return {
				async *readAll(options = {}) {
					const slow = options.direction !== "backward" && options.limit === undefined;
					for await (const event of store.readAll(options)) {
						const overtaken = slow && event.version === 7 && (late.get(event.stream) ?? 0) < 1;
						if (overtaken) late.set(event.stream, 1);
						else yield event;
					}
				},
			};
		}),
	},
	"names of streams are case-blind": {
		breaks: ["distinct-streams"],
		make: broken((store) => ({
			append: (stream, events, expected) => store.append(stream.toLowerCase(), events, expected),
			read: (stream, options) =>
				map(store.read(stream.toLowerCase(), options), (event) => Object.freeze({ ...event, stream })),
		})),
	},
	"a closed store goes on": { breaks: ["closed"], make: broken(() => ({ close: async () => undefined })) },
	"a closed store rejects with another error": {
		breaks: ["closed"],
		make: broken((store) => ({
			append: (...args) =>
				store.append(...args).catch((error: unknown) => {
					throw isStoreFault(error) ? storeFault("io", "something else") : error;
				}),
		})),
	},
	"signals are ignored": {
		breaks: ["abort"],
		make: broken((store) => ({
			readAll: ({ signal, ...options } = {}) => store.readAll(options),
		})),
	},
	"nobody is hinted at": { breaks: ["hint"], make: broken(() => ({ onAppended: () => () => undefined })) },
	"hints do not stop": {
		breaks: ["hint"],
		make: broken((store) => ({
			onAppended(hint) {
				store.onAppended(hint);
				return () => undefined;
			},
		})),
	},
	"metadata is dropped": {
		breaks: ["append-and-read"],
		make: broken((store) => ({
			read: (stream, options) =>
				map(store.read(stream, options), (event) => Object.freeze({ ...event, metadata: Object.freeze({}) })),
		})),
	},
	"it forgets although it says that it persists": {
		breaks: ["persistence"],
		make: broken(() => ({ supports: { persistence: true } })),
	},
};

describe("a broken event store fails exactly its clauses", () => {
	for (const [flaw, { breaks, make }] of Object.entries(flaws)) {
		test(`when ${flaw}`, async () => {
			const failed: string[] = [];
			for (const { clause, run } of eventStoreSuite(harnessOf(make))) {
				await run().catch(() => failed.push(clause));
			}
			expect(failed).toEqual(breaks);
		});
	}
});
