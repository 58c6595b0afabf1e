// For the test of the event store's suite only: stores that close or open again wrongly.

import { isStoreFault, type RecordedEvent, storeFault } from "../ports/index.js";
import { pause } from "./pause.js";
import { broken, type Flaw, finishing, fnv1a, reopenable } from "./test-flawed-stores.js";

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const closingFlaws: Record<string, Flaw> = {
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
	"a close waits until every reading has ended": {
		breaks: ["abandoned-reading"],
		make: broken((store) => {
			const open = new Set<Promise<void>>();
			return {
				readAll: (options) => watched(store.readAll(options), (ended) => open.add(ended)),
				async close() {
					await Promise.all(open);
					await store.close();
				},
			};
		}),
	},
	"a reading that was broken off keeps its place": {
		breaks: ["abandoned-reading"],
		make: broken((store) => {
			let places = 48;
			return {
				async *readAll(options = {}) {
					if (places === 0) throw storeFault("overloaded", "too many readings");
					places -= 1;
					for await (const event of store.readAll(options)) yield event;
					places += 1;
				},
			};
		}),
	},
	"a close ends readings as if all was read": {
		breaks: ["reading-at-close"],
		make: interrupting(() => undefined),
	},
	"a reading that a close ends rejects with another error": {
		breaks: ["reading-at-close"],
		make: interrupting(() => {
			throw storeFault("io", "bad file descriptor");
		}),
	},
	"it forgets although it says that it persists": {
		breaks: ["persistence", "reopened-log", "reopened-streams", "reopened-call-order"],
		make: broken(() => ({ supports: { persistence: true } })),
	},
	"an empty log cannot be opened again": {
		breaks: ["reopened-log"],
		make: reopenable((_, old, session) => {
			if (session > 1 && old.length === 0) throw storeFault("corrupt", "the log is empty");
			return {};
		}),
	},
	"a backward reading ends where the session began": {
		breaks: ["reopened-log"],
		make: reopenable((store, old) => ({
			async *readAll(options = {}) {
				let last: RecordedEvent | undefined;
				for await (const event of store.readAll(options)) {
					if (options.direction === "backward" && last && isIn(old, event) && !isIn(old, last)) return;
					last = event;
					yield event;
				}
			},
		})),
	},
	"a hash stands for a stream of old": {
		breaks: ["reopened-streams"],
		make: reopenable((store, old) => {
			const names = new Set(old.map(({ stream }) => stream));
			const hashes = new Set([...names].map(fnv1a));
			return {
				async append(stream, events, expected) {
					const isMistaken = hashes.has(fnv1a(stream)) && !names.has(stream);
					if (isMistaken && expected === "no-stream")
						return { _tag: "WrongExpectedVersion", actualVersion: 1 };
					return store.append(stream, events, expected);
				},
			};
		}),
	},
	"the first of several appends to a stream of old is looked up": {
		breaks: ["reopened-call-order"],
		make: reopenable((store, old) => {
			const cold = new Set(old.map(({ stream }) => stream));
			return finishing(store, async (stream, events, expected) => {
				if (cold.delete(stream)) await pause(1);
				return store.append(stream, events, expected);
			});
		}),
	},
	"a close does not wait for what is looked up": {
		breaks: ["reopened-call-order"],
		make: reopenable((store, old) => {
			const lookUps = new Map(old.map(({ stream }) => [stream, undefined as Promise<unknown> | undefined]));
			return {
				async append(stream, events, expected) {
					if (lookUps.has(stream)) {
						const lookUp = lookUps.get(stream) ?? pause(1);
						lookUps.set(stream, lookUp);
						await lookUp;
					}
					return store.append(stream, events, expected);
				},
			};
		}),
	},
};

function interrupting(interrupt: () => undefined): Flaw["make"] {
	return broken((store) => {
		let closed = false;
		return {
			async *readAll(options) {
				for await (const event of store.readAll(options)) {
					if (closed) return interrupt();
					yield event;
				}
			},
			close() {
				closed = true;
				return store.close();
			},
		};
	});
}

async function* watched(events: AsyncIterable<RecordedEvent>, begin: (ended: Promise<void>) => void) {
	let end: () => void = () => undefined;
	begin(new Promise((resolve) => (end = resolve)));
	try {
		yield* events;
	} finally {
		end();
	}
}

function isIn(log: readonly RecordedEvent[], { position }: RecordedEvent): boolean {
	return log.some((event) => event.position === position);
}
