// For the test of the event store's suite only: stores that read wrongly.

import {
	checkAppend,
	type ReadAllOptions,
	type RecordedEvent,
	type StreamName,
	toPosition,
} from "../ports/index.js";
import { TYPES } from "./event-store-reading.js";
import { collect } from "./sample-events.js";
import { broken, type Flaw, filter, fnv1a, map } from "./test-flawed-stores.js";

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const readingFlaws: Record<string, Flaw> = {
	"a backward read is off by one": {
		breaks: ["stream-reading", "long-streams"],
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
	"a reading of a stream loses the first event of every 64": {
		breaks: ["long-streams"],
		make: broken((store) => ({
			read: (stream, { after, ...options } = {}) =>
				store.read(stream, {
					...options,
					...(after !== undefined && { after: after > 0 && after % 64 === 0 ? after + 1 : after }),
				}),
		})),
	},
	"a backward reading of a stream ends after 100 events": {
		breaks: ["long-streams"],
		make: broken((store) => ({
			read: (stream, options = {}) =>
				store.read(
					stream,
					options.direction === "backward"
						? { ...options, limit: Math.min(options.limit ?? 100, 100) }
						: options,
				),
		})),
	},
	"types are not looked at": typed((_types, options) => options),
	"types are told apart by how they begin": typed((types, options) => ({
		...options,
		types: TYPES.filter((type) => types.some((wanted) => type.startsWith(wanted))),
	})),
	"a limit counts events of other types too": {
		breaks: ["type-reading"],
		make: broken((store) => ({
			readAll: ({ types, ...options } = {}) =>
				filter(store.readAll(options), ({ type }) => types?.includes(type) ?? true),
		})),
	},
	"no types are all types": typed((types, options) => (types.length === 0 ? options : { ...options, types })),
	"after is inclusive in the log": {
		breaks: ["global-reading", "large-log", "no-skipped-events"],
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
	"the log tells no streams": {
		breaks: ["global-reading"],
		make: broken((store) => ({
			readAll: (options) =>
				map(store.readAll(options), (event) => Object.freeze({ ...event, stream: "stream-a" })),
		})),
	},
	"an event that is larger than a block is left out of the log": {
		breaks: ["large-log"],
		make: broken((store) => ({
			readAll: (options) => filter(store.readAll(options), (event) => noteOf(event).length < 400_000),
		})),
	},
	"an event that is larger than a block is cut in its stream": {
		breaks: ["large-log"],
		make: broken((store) => ({
			read: (stream, options) =>
				map(store.read(stream, options), (event) => {
					const note = noteOf(event);
					const isCut = note.length > 400_000;
					return isCut
						? Object.freeze({ ...event, data: Object.freeze({ note: note.slice(0, -1) }) })
						: event;
				}),
		})),
	},
	"bytes are counted as characters": {
		breaks: ["large-log"],
		make: broken((store) => ({
			readAll: (options) =>
				map(store.readAll(options), (event) => {
					const note = noteOf(event);
					const isCut = note.length > 1_000 && note > "\x80";
					return isCut
						? Object.freeze({ ...event, data: Object.freeze({ note: note.slice(0, -1) }) })
						: event;
				}),
		})),
	},
	"readings of the log share a block": {
		breaks: ["large-log"],
		make: broken((store) => {
			let block: readonly RecordedEvent[] = [];
			return {
				async *readAll(options = {}) {
					// Only small readings have to share.
					if (options.limit !== 4) return yield* store.readAll(options);
					block = await collect(store.readAll(options));
					for (let at = 0; at < block.length; at += 1) yield block[at] as RecordedEvent;
				},
			};
		}),
	},
	"a reading ends where the log ended when it began": {
		breaks: ["growing-log"],
		make: broken((store) => ({
			async *readAll(options) {
				for (const event of await collect(store.readAll(options))) {
					options?.signal?.throwIfAborted();
					yield event;
				}
			},
		})),
	},
	"what is appended during a reading of the log is left out but for the last": {
		breaks: ["growing-log"],
		make: broken((store) => ({
			async *readAll(options) {
				let seen = 0;
				const known = (await collect(store.readAll(options))).length;
				for await (const event of store.readAll(options)) {
					seen += 1;
					if (seen <= known || event.version % 5 === 0) yield event;
				}
			},
		})),
	},
	"events are handed out unfrozen": {
		breaks: ["immutable"],
		make: broken((store) => ({
			read: (stream, options) => map(store.read(stream, options), (event) => structuredClone(event)),
		})),
	},
	"a slow append is overtaken": {
		breaks: ["batch-visibility", "large-log", "growing-log", "no-skipped-events"],
		make: broken((store) => {
			// The log's reader meets some events late, when later ones were shown: the wound of unordered commits.
			const late = new Set<string>();
			return {
				async *readAll(options = {}) {
					const isSlow = options.direction !== "backward" && options.limit === undefined;
					for await (const event of store.readAll(options)) {
						if (isSlow && event.version === 7 && !late.has(event.stream)) late.add(event.stream);
						else yield event;
					}
				},
			};
		}),
	},
	"names of streams are case-blind": renaming((name) => name.toLowerCase()),
	"names of streams are trimmed": renaming((name) => name.trimEnd() || name),
	"names of streams are cut": renaming((name) => name.slice(0, 100)),
	"names of streams end with a zero character": renaming((name) => name.replace(/(?<=.)\0.*$/s, "")),
	"a hash stands for the name of a stream": renaming((name) => String(fnv1a(name))),
	"the longest name is forgotten after its first event": {
		breaks: ["distinct-streams"],
		make: broken((store) => ({
			append: (stream, events, expected) =>
				store.append(stream, events, stream.length === 128 && typeof expected === "number" ? 0 : expected),
		})),
	},
	"signals are ignored": {
		breaks: ["abort"],
		make: broken((store) => ({
			readAll: ({ signal, ...options } = {}) => store.readAll(options),
		})),
	},
};

/** A store that takes streams for one which `rename` gives the same name. */
function renaming(rename: (name: StreamName) => StreamName): Flaw {
	return {
		breaks: ["distinct-streams"],
		make: broken((store) => {
			const names = new Map<StreamName, StreamName>();
			return {
				async append(stream, events, expected) {
					checkAppend(stream, events, expected);
					names.set(rename(stream), stream);
					return store.append(rename(stream), events, expected);
				},
				read: (stream, options) =>
					map(store.read(rename(stream), options), (event) => Object.freeze({ ...event, stream })),
				readAll: (options) =>
					map(store.readAll(options), (event) =>
						Object.freeze({ ...event, stream: names.get(event.stream) ?? event.stream }),
					),
			};
		}),
	};
}

/** A store that makes other options of those with types. */
function typed(
	change: (types: readonly string[], options: Omit<ReadAllOptions, "types">) => ReadAllOptions,
): Flaw {
	return {
		breaks: ["type-reading"],
		make: broken((store) => ({
			readAll: ({ types, ...options } = {}) =>
				store.readAll(types === undefined ? options : change(types, options)),
		})),
	};
}

function noteOf({ data }: RecordedEvent): string {
	return typeof data.note === "string" ? data.note : "";
}
