// For the test of the event store's suite only: flaws so narrow that of the clauses which other flaws break together only
// one sees them.

import {
	checkAppend,
	type EventStore,
	type RecordedEvent,
	type StreamName,
	storeFault,
	toPosition,
} from "../ports/index.js";
import { pause } from "./pause.js";
import { collect } from "./sample-events.js";
import { broken, type Flaw, filter, reopenable } from "./test-flawed-stores.js";
import { writingLater } from "./test-flawed-writing.js";

/** The appends that are under way in a store, by stream. */
function watched(store: EventStore) {
	const underway: StreamName[] = [];
	const append: EventStore["append"] = async (stream, ...rest) => {
		underway.push(stream);
		try {
			return await store.append(stream, ...rest);
		} finally {
			underway.splice(underway.indexOf(stream), 1);
		}
	};
	return { append, underway };
}

/** Who creates a stream too late is told that it won, where `isTold` by what was under way at the call. */
function lyingToLosers(
	store: EventStore,
	isTold: (stream: StreamName, underway: readonly StreamName[]) => boolean,
): Pick<EventStore, "append"> {
	const { append, underway } = watched(store);
	return {
		async append(stream, events, expected) {
			const isLie = expected === "no-stream" && isTold(stream, underway);
			const result = await append(stream, events, expected);
			const isLoser = result._tag === "WrongExpectedVersion";
			return isLie && isLoser ? { _tag: "Appended", version: 1, position: toPosition(1) } : result;
		},
	};
}

/** Reads without what a kill is said to have taken. */
function hiding(
	store: EventStore,
	isKilled: boolean,
	isGone: (event: RecordedEvent) => boolean,
): Pick<EventStore, "read" | "readAll"> {
	const keep = (event: RecordedEvent): boolean => !isKilled || !isGone(event);
	return {
		read: (...args) => filter(store.read(...args), keep),
		readAll: (...args) => filter(store.readAll(...args), keep),
	};
}

const lastOfThree = ({ stream, version }: RecordedEvent): boolean => stream === "stream-b" && version === 3;
const lastOfFive = ({ stream, version }: RecordedEvent): boolean =>
	stream === "stream-part-0-1" && (version === 4 || version === 5);

export const loneFlaws: Record<string, Flaw> = {
	"a version that is one ahead is accepted of an append that comes alone": {
		breaks: ["expected-version"],
		make: broken((store) => {
			const { append, underway } = watched(store);
			return {
				async append(stream, events, expected) {
					if (underway.length > 0 || expected !== 3) return append(stream, events, expected);
					const { length } = await collect(store.read(stream));
					return append(stream, events, length === 2 ? "any" : expected);
				},
			};
		}),
	},
	"batches of one stream that come at once are mixed": {
		breaks: ["whole-batch"],
		make: broken((store) => ({
			async append(stream, events, expected) {
				const isMixed = stream === "stream-a" && expected === "any" && events.length === 3;
				if (!isMixed) return store.append(stream, events, expected);
				let result = await store.append(stream, events.slice(0, 1), expected);
				for (const event of events.slice(1)) {
					await pause();
					result = await store.append(stream, [event], "any");
				}
				return result;
			},
		})),
	},
	"of many creations of one stream at once the eleventh is told that it won": {
		breaks: ["concurrent-create"],
		make: broken((store) =>
			lyingToLosers(store, (stream, underway) => underway.filter((other) => other === stream).length === 10),
		),
	},
	"of creations of many streams at once a loser is told that it won": {
		breaks: ["concurrent-streams"],
		make: broken((store) =>
			lyingToLosers(store, (stream, underway) => stream === "stream-7" && new Set(underway).size === 40),
		),
	},
	"the answer to a pair among others tells the position of its first event": {
		breaks: ["answer-then-read"],
		make: broken((store) => {
			const { append, underway } = watched(store);
			return {
				async append(stream, events, expected) {
					const isWrong = underway.length > 5 && events.length === 2 && expected === "any";
					const result = await append(stream, events, expected);
					return isWrong && result._tag === "Appended"
						? { ...result, position: toPosition(Number(result.position) - 1) }
						: result;
				},
			};
		}),
	},
	"a backward reading of a short stream is off by one": {
		breaks: ["stream-reading"],
		make: broken((store) => ({
			async *read(stream, options = {}) {
				const { after, direction } = options;
				const isShort = direction === "backward" && after === 3 && stream === "stream-a";
				yield* store.read(stream, isShort ? { ...options, after: after + 1 } : options);
			},
		})),
	},
	"a reading that goes on behind a position leaves out what was overtaken": {
		breaks: ["no-skipped-events"],
		make: broken((store) => {
			const { append, underway } = watched(store);
			return {
				append,
				async *readAll(options = {}) {
					const isAtRisk = underway.length >= 8 && options.limit === undefined;
					yield* filter(store.readAll(options), ({ version }) => !(isAtRisk && version % 5 === 3));
				},
			};
		}),
	},
	"the event that was answered last in its stream is lost in a kill": {
		breaks: ["crash-events"],
		make: reopenable((store, _old, _session, isKilled) => hiding(store, isKilled, lastOfThree)),
	},
	"of an append of five events that a kill cuts short three are left": {
		breaks: ["crash-batch"],
		make: reopenable((store, _old, _session, isKilled) => hiding(store, isKilled, lastOfFive)),
	},
	"of an append of five events that a kill cuts short the log shows three, and its stream all": {
		breaks: ["crash-batch"],
		make: reopenable((store, _old, _session, isKilled) => ({
			readAll: hiding(store, isKilled, lastOfFive).readAll,
		})),
	},
	"each event of a batch is a record of its own, and a kill comes between two": {
		breaks: ["crash-batch"],
		make: writingLater("writes event by event"),
	},
	"of batches that are answered together each event is a record of its own, and a kill comes between two": {
		breaks: ["crash-batch"],
		make: writingLater("writes event by event, and answers when nothing waits"),
	},
	"behind a kill no batch of a new stream is accepted": {
		breaks: ["crash-batch"],
		make: reopenable((store, _old, _session, isKilled) => ({
			async append(stream, events, expected) {
				if (isKilled && events.length === 5) throw storeFault("overloaded", "too much at once");
				return store.append(stream, events, expected);
			},
		})),
	},
	"a batch is answered before it is on the disk while others wait, and a kill comes": {
		breaks: ["crash-batch"],
		make: writingLater("syncs when nothing waits"),
	},
	"an old stream of two events is created once more after a reopening": {
		breaks: ["persistence"],
		make: reopenable((store, old) => ({
			async append(stream, events, expected) {
				checkAppend(stream, events, expected);
				const others = old.filter((event) => event.stream !== stream);
				const isForgotten =
					old.length === 5 && others.length === 3 && others.every((event) => event.stream === "stream-b");
				return store.append(stream, events, isForgotten && expected === "no-stream" ? "any" : expected);
			},
		})),
	},
};
