// The clause of `EventStore` about events that are handed on without being parsed.

import { encodedRuns } from "../ports/encoded-runs.js";
import type { EncodedEvent, EventStore, NewEvent, ReadAllOptions } from "../ports/event-store.js";
import { assert, assertSame } from "./case.js";
import { TYPES } from "./event-store-reading.js";
import { collect, newEvent } from "./sample-events.js";

/** What could be taken for a member of the event itself, what JSON escapes, and characters of one to four bytes. */
const DATA: readonly NewEvent["data"][] = [
	{ note: "plain" },
	{},
	{ metadata: { appKey: "inner" }, data: { metadata: {} }, id: "inner" },
	{ note: ',"metadata":{"appKey":"quoted"}', list: [{ a: 1, metadata: {} }, "}"] },
	{ note: '游é🎮"\\\n\0\ud800', 云: [null, -0.5, 1e300, true] },
	{ note: "x".repeat(70_000) },
];

export async function handsOnEncoded(store: EventStore): Promise<void> {
	for (let turn = 0; turn < 36; turn += 1) {
		const event = newEvent();
		await store.append(
			`stream-${turn % 3}`,
			[
				{
					...event,
					id: turn % 4 === 0 ? `${event.id}-"游` : event.id,
					type: TYPES[(turn * 5) % TYPES.length] as string,
					data: DATA[turn % DATA.length] as NewEvent["data"],
					metadata: turn % 5 === 0 ? {} : { requestId: `"metadata":${turn}`, appKey: "云" },
				},
			],
			"any",
		);
	}
	const after = (await collect(store.readAll()))[12]?.position;
	assert(after !== undefined, "there is a thirteenth event");
	const places: readonly ReadAllOptions[] = [
		{},
		{ after },
		{ direction: "backward" },
		{ direction: "backward", after },
		{ limit: 5 },
		{ after, limit: 1 },
		{ types: TYPES.slice(3) },
		{ types: TYPES.slice(0, 2), direction: "backward", limit: 4 },
	];
	for (const options of places) {
		const events = (await collect(store.readAll(options))).map(({ data, metadata, ...event }) => ({
			...event,
			dataJson: JSON.stringify(data),
			metadataJson: JSON.stringify(metadata),
		}));
		assertSame(await collectEncoded(store, options), events, `encoded, ${JSON.stringify(options)}`);
	}
}

async function collectEncoded(store: EventStore, options: ReadAllOptions) {
	const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	const textOf = ({ dataJson, metadataJson, ...event }: EncodedEvent) => {
		const { id, type, schemaVersion, stream, version, position, recordedAt } = event;
		return {
			...{ id, type, schemaVersion, stream, version, position, recordedAt },
			dataJson: utf8.decode(dataJson),
			metadataJson: utf8.decode(metadataJson),
		};
	};
	const all = [];
	for await (const { events, position } of encodedRuns(store.readAll(options))) {
		assertSame(position, events.at(-1)?.position ?? "none", "the position of a run is its last event's");
		all.push(...events.map(textOf));
	}
	return all;
}
