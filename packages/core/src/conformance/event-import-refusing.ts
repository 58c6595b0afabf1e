// The clauses of `EventImporter` about what is refused: nothing of it is written.

import type { RecordedEvent } from "../ports/event-store.js";
import { toPosition } from "../ports/position.js";
import { assert, assertMistake, assertSame } from "./case.js";
import type { ImportingStore } from "./event-import.js";
import { imported } from "./event-import-keeping.js";
import { recordedElsewhere } from "./event-import-samples.js";
import { collect, idsOf, newEvent } from "./sample-events.js";

export async function refusesWrongEnd(store: ImportingStore): Promise<void> {
	const [one, two, three] = recordedElsewhere(["stream-a", "stream-b", "stream-c"]) as [
		RecordedEvent,
		RecordedEvent,
		RecordedEvent,
	];
	const refuse = async (after: ReturnType<typeof toPosition> | undefined, what: string): Promise<void> => {
		assertSame(await store.importEvents([three], after), { _tag: "WrongEnd" }, what);
	};
	await refuse(toPosition(1), "an import behind an event of an empty log");
	const [end] = await imported(store, [one]);
	await refuse(undefined, "an import into a log that should be empty");
	await store.append("stream-x", [newEvent()], "any");
	await refuse(end, "an import behind an event that is not the last");
	const log = await collect(store.readAll());
	await refuse(toPosition(BigInt(log.at(-1)?.position ?? 0) + 1n), "an import behind what is not there");
	assertSame(await collect(store.readAll()), log, "a log that nothing was added to");
	await imported(store, [two], log.at(-1)?.position);
}

export async function refusesPassedVersions(store: ImportingStore): Promise<void> {
	const [one, two] = recordedElsewhere(["stream-a", "stream-a"]) as [RecordedEvent, RecordedEvent];
	const [end] = await imported(store, [{ ...one, version: 2 }]);
	const fresh = recordedElsewhere(["stream-b"]);
	for (const version of [1, 2]) {
		await assertMistake(
			() => store.importEvents([...fresh, { ...two, version }], end),
			`version ${version} of a stream that has 2`,
		);
	}
	assertSame(idsOf(await collect(store.readAll())), [one.id], "a log that nothing was added to");
	await imported(store, [...fresh, { ...two, version: 3 }], end);
}

export async function refusesArguments(store: ImportingStore): Promise<void> {
	const [event, other] = recordedElsewhere(["stream-a", "stream-b"]) as [RecordedEvent, RecordedEvent];
	const wrong: readonly (readonly [string, readonly RecordedEvent[]])[] = [
		["no events", []],
		["1,001 events", recordedElsewhere(Array.from({ length: 1_001 }, (_, at) => `stream-${at}`))],
		["version 0", [other, { ...event, version: 0 }]],
		["half a version", [other, { ...event, version: 1.5 }]],
		["the same version twice", [event, { ...other, stream: "stream-a" }]],
		[
			"versions that fall",
			[
				{ ...event, version: 2 },
				{ ...other, stream: "stream-a" },
			],
		],
		["a time that is no whole number", [other, { ...event, recordedAt: 0.5 }]],
		["a stream without a name", [other, { ...event, stream: "" }]],
		["an event without an id", [other, { ...event, id: "" }]],
	];
	for (const [what, events] of wrong) await assertMistake(() => store.importEvents(events, undefined), what);
	assertSame(await collect(store.readAll()), [], "a log that nothing was added to");
	await imported(store, [event, other]);
}

export async function letsOneWin(store: ImportingStore): Promise<void> {
	const [event] = recordedElsewhere(["stream-a"]);
	const [end] = await imported(store, [event as RecordedEvent]);
	const rivals = Array.from({ length: 8 }, (_, at) => recordedElsewhere([`stream-${at}`, "stream-z"]));
	const results = await Promise.all(rivals.map((events) => store.importEvents(events, end)));
	const winners = rivals.filter((_, at) => results[at]?._tag === "Imported");
	assert(winners.length === 1, `exactly one of several imports wins, not ${winners.length}`);
	const log = await collect(store.readAll());
	assertSame(idsOf(log.slice(1)), idsOf(winners.flat()), "what the one that won has added");
}
