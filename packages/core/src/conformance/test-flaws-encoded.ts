// For the test of the event store's suite only: stores whose encoded events are not those of their log.

import { type EncodedRun, encodedRuns, type LogReading, type ReadAllOptions } from "../ports/index.js";
import { broken, type Flaw } from "./test-flawed-stores.js";

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const encodedFlaws: Record<string, Flaw> = {
	"encoded events are of all types": encoded((runs) => runs, ["types"]),
	"encoded events begin at the start": encoded((runs) => runs, ["after"]),
	"encoded events know no limit": encoded((runs) => runs, ["limit"]),
	"a run of encoded events is where it begins": encoded(async function* (runs) {
		let previous: EncodedRun | undefined;
		for await (const run of runs) {
			const events = [...(previous?.events ?? []), ...run.events];
			if (events.length === 2) yield { events, position: previous?.position ?? run.position };
			previous = events.length === 2 ? undefined : run;
		}
		if (previous !== undefined) yield previous;
	}),
	"encoded metadata begins where the word stands first": encoded(async function* (runs) {
		const utf8 = { encode: new TextEncoder(), decode: new TextDecoder() };
		for await (const { events, position } of runs) {
			yield {
				events: events.map((event) => {
					const text = utf8.decode.decode(event.dataJson);
					const cut = text.indexOf(',"metadata":');
					return cut === -1 ? event : { ...event, metadataJson: utf8.encode.encode(text.slice(cut + 12)) };
				}),
				position,
			};
		}
	}),
	"encoded events are cut where a character has more bytes than one": encoded(async function* (runs) {
		const utf8 = { encode: new TextEncoder(), decode: new TextDecoder() };
		for await (const { events, position } of runs) {
			yield {
				events: events.map((event) => {
					const { length } = utf8.decode.decode(event.dataJson);
					return { ...event, dataJson: event.dataJson.subarray(0, length) };
				}),
				position,
			};
		}
	}),
};

/** `forgets`: which of the options the encoded reading does not look at. */
function encoded(
	change: (runs: AsyncIterable<EncodedRun>) => AsyncIterable<EncodedRun>,
	forgets: readonly (keyof ReadAllOptions)[] = [],
): Flaw {
	return {
		breaks: ["encoded-reading"],
		make: broken((store) => ({
			readAll(options = {}): LogReading {
				const kept = Object.fromEntries(
					Object.entries(options).filter(([name]) => !forgets.some((forgotten) => forgotten === name)),
				);
				const reading = store.readAll(options);
				return {
					[Symbol.asyncIterator]: () => reading[Symbol.asyncIterator](),
					encoded: () => change(encodedRuns(store.readAll(kept))),
				};
			},
		})),
	};
}
