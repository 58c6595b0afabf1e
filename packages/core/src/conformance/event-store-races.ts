// The clauses of `EventStore` about appends that are not waited for: who wins, who is told what, and who sees it when.

import type { AppendResult, EventStore, Position, StreamName } from "../ports/event-store.js";
import { comparePositions } from "../ports/position.js";
import { assert, assertSame } from "./case.js";
import { pause } from "./pause.js";
import { collect, fill, idsOf, newEvent, newEvents } from "./sample-events.js";

export async function createsOnceConcurrently(store: EventStore): Promise<void> {
	await raceToCreate(store, ["stream-a"], 100);
}

export async function createsManyOnceConcurrently(store: EventStore): Promise<void> {
	const streams = Array.from({ length: 40 }, (_, index) => `stream-${index}`);
	await raceToCreate(store, streams, 5);
	assertSame((await collect(store.readAll())).length, streams.length, "events in the log");
}

async function raceToCreate(store: EventStore, streams: readonly StreamName[], attempts: number) {
	const racers = Array.from({ length: attempts }, () => streams).flat();
	const results = await Promise.all(racers.map((stream) => store.append(stream, [newEvent()], "no-stream")));
	for (const stream of streams) {
		const own = results.filter((_, index) => racers[index] === stream);
		const won = own.filter(({ _tag }) => _tag === "Appended").length;
		assertSame(won, 1, `appends to ${stream} that won`);
		assert(
			own.every((result) => result._tag === "Appended" || result.actualVersion === 1),
			"those that lost are told version 1",
		);
		assertSame((await collect(store.read(stream))).length, 1, `events in ${stream}`);
	}
}

export async function decidesInCallOrder(store: EventStore): Promise<void> {
	await fill(store, "stream-a", 2);
	await appendInOneTick(store, "stream-a", 2);
	await appendInOneTick(store, "stream-b", 0);
}

/** Appends to a stream that has `version`, without waiting in between; fails unless the calls are decided in their order. */
export async function appendInOneTick(store: EventStore, stream: StreamName, version: number): Promise<void> {
	const accepted = [newEvents(1), newEvents(2), newEvents(1), newEvents(3)] as const;
	const results = await Promise.all([
		store.append(stream, accepted[0], version === 0 ? "no-stream" : version),
		store.append(stream, accepted[1], version + 1),
		store.append(stream, newEvents(1), "no-stream"),
		store.append(stream, accepted[2], "any"),
		store.append(stream, newEvents(2), version + 1),
		store.append(stream, accepted[3], version + 4),
	]);
	const told = results.map((result) => (result._tag === "Appended" ? result.version : result._tag));
	const lost = "WrongExpectedVersion";
	const order = [version + 1, version + 3, lost, version + 4, lost, version + 7];
	assertSame(told, order, `appends to ${stream} in one tick`);
	for (const [index, least] of [
		[2, version + 3],
		[4, version + 4],
	] as const) {
		const result = results[index];
		const actual = result?._tag === lost ? result.actualVersion : 0;
		assert(actual >= least && actual <= version + 7, `append ${index + 1} is told of those before it`);
	}
	const positions = results.flatMap((result) => (result._tag === "Appended" ? result.position : []));
	const grow = positions.slice(1).every((position, index) => isBefore(positions[index], position));
	assert(grow, "positions grow in the order of the calls");
	const read = idsOf(await collect(store.read(stream, { after: version })));
	assertSame(read, idsOf(accepted.flat()), stream);
}

function isBefore(a: Position | undefined, b: Position): boolean {
	return a !== undefined && comparePositions(a, b) < 0;
}

export async function showsTheCauseOfAConflict(store: EventStore): Promise<void> {
	await fill(store, "stream-old", 3);
	let conflicts = 0;
	const race = async (stream: StreamName, version: number) => {
		const result = await store.append(stream, newEvents(2), version);
		if (result._tag === "Appended") return;
		conflicts += 1;
		const events = await collect(store.read(stream));
		assert(
			events.length >= result.actualVersion,
			"who is told of a conflict finds the events that caused it",
		);
		const newest = events.at(-1)?.id;
		const log = idsOf(await collect(store.readAll()));
		assert(newest !== undefined && log.includes(newest), "and finds them in the log");
	};
	const streams = Array.from({ length: 10 }, (_, index) => `stream-${index}`);
	const attempts = [...streams, ...streams, ...streams].map((stream) => race(stream, 0));
	await Promise.all([...attempts, race("stream-old", 3), race("stream-old", 3)]);
	assertSame(conflicts, 21, "conflicts");
}

export async function showsWhatWasAnswered(store: EventStore): Promise<void> {
	const appendAndLook = async (stream: StreamName, count: number): Promise<void> => {
		const events = newEvents(count);
		const result = await store.append(stream, events, "any");
		assert(result._tag === "Appended", "any version is accepted");
		await findAnswered(store, stream, idsOf(events), result);
	};
	await Promise.all(
		Array.from({ length: 30 }, (_, turn) => appendAndLook(`stream-${turn % 7}`, (turn % 3) + 1)),
	);
}

async function findAnswered(
	store: EventStore,
	stream: StreamName,
	ids: readonly string[],
	{ version, position }: Extract<AppendResult, { readonly _tag: "Appended" }>,
): Promise<void> {
	const limit = ids.length;
	const events = await collect(store.read(stream, { after: version - limit, limit }));
	assertSame(idsOf(events), ids, `what stands at the version that the answer tells, in ${stream}`);
	assertSame(events.at(-1)?.position, position, "the position that the answer tells");
	const log = await collect(store.readAll());
	assertSame(
		log.find((event) => event.position === position)?.id,
		ids.at(-1),
		"what stands there in the log",
	);
}

/** Reads while appends are under way: an end of the log or of a stream within one of them is never to be seen. */
export async function showsWholeBatches(store: EventStore): Promise<void> {
	const size = 5;
	const streams = Array.from({ length: 6 }, (_, index) => `stream-${index}`);
	for (let turn = 0; turn < 5; turn += 1) {
		let appending = true;
		const appends = streams.map((stream) => store.append(stream, newEvents(size), turn * size));
		const appended = Promise.all(appends).finally(() => {
			appending = false;
		});
		while (appending) {
			const [newest] = await collect(store.readAll({ direction: "backward", limit: 1 }));
			assertSame((newest?.version ?? 0) % size, 0, "how far the last event of the log is into its append");
			const log = await collect(store.readAll());
			assertSame(log.length % size, 0, "events of the log that belong to no whole append");
			const events = await collect(store.read("stream-0"));
			assertSame(events.length % size, 0, "events of a stream that belong to no whole append");
			await pause();
		}
		await appended;
	}
}
