// A log that also holds what this release does not know: types of others, of a later release, and later schema versions of ours, in
// recordings, in quarantine and beside them. Every reader of the core passes them on, or over, and none misreads one.

import { describe, expect, test } from "vitest";
import { LINK, report, started } from "./container/test-reelkeep.js";
import { EVENT_TYPES } from "./events.js";
import { loadRecording } from "./execute.js";
import type { EventStore, NewEvent, RecordedEvent, StreamName } from "./ports/index.js";
import { foldQuarantine } from "./quarantined-callbacks.js";
import { foldRecordings } from "./recordings.js";

/** Later versions have other shapes, among them what looks like today's. */
const SHAPES: readonly NewEvent["data"][] = [
	{},
	{ receipt: "moved", attempts: "3", cause: { code: 7 }, deadline: null, sealedUrl: 1, reopens: "no" },
	{ cause: "refused", attempts: 1, message: "m", appKey: 1, bytes: "many", stream: [] },
];
const TYPES = ["acme.OrderPaid", "VideoErased", "toString", "constructor", "__proto__"];

let serial = 0;
const strange = (): readonly NewEvent[] => {
	const later = Object.entries(EVENT_TYPES).map(
		([type, { schemaVersion }]) => [type, schemaVersion + 1] as const,
	);
	const types = [...later, ...TYPES.map((type) => [type, 1] as const)];
	return types.map(([type, schemaVersion]) => ({
		id: `strange-${++serial}`,
		type,
		schemaVersion,
		data: SHAPES[serial % SHAPES.length] ?? {},
		metadata: { correlationId: "theirs" },
	}));
};

const collect = async (store: EventStore): Promise<readonly RecordedEvent[]> => {
	const events: RecordedEvent[] = [];
	for await (const event of store.readAll()) events.push(event);
	return events;
};

async function given() {
	const reelkeep = await started();
	const told: string[] = [];
	for (const type of Object.keys(EVENT_TYPES) as (keyof typeof EVENT_TYPES)[]) {
		reelkeep.events.on(type, ({ id }) => void told.push(id));
	}
	const send = async (
		requestParam: string,
	): Promise<{ readonly tag: string; readonly stream: StreamName }> => {
		const outcome = await reelkeep.receive({ ...report(), requestParam });
		return { tag: outcome._tag, stream: "stream" in outcome ? outcome.stream : "" };
	};
	const strew = async (...streams: readonly StreamName[]): Promise<void> => {
		for (const stream of streams) await reelkeep.store.append(stream, strange(), "any");
	};
	return { reelkeep, store: reelkeep.store, told, send, strew };
}

const callback = report().requestParam as string;
const renewed = callback.replace(LINK, `${LINK}-renewed`);

describe("among events that it does not know", () => {
	test("a recording is decided as it would be without them, and its stream is written on", async () => {
		const { store, send, strew } = await given();
		const { stream } = await send(callback);
		await strew(stream);
		expect(await send(callback)).toEqual({ tag: "AlreadyReported", stream });
		expect(await send(renewed)).toEqual({ tag: "LinkRenewed", stream });
		await strew(stream);
		expect(await send(renewed)).toEqual({ tag: "AlreadyReported", stream });

		const plain = await given();
		await plain.send(callback);
		await plain.send(renewed);
		const [theirs, ours] = [await loadRecording(plain.store, stream), await loadRecording(store, stream)];
		const linksOf = ({ recording }: typeof ours) => recording.links.map((link) => link.linkFingerprint);
		expect(linksOf(ours)).toEqual(linksOf(theirs));
		expect({ ...ours.recording, links: [] }).toEqual({ ...theirs.recording, links: [] });
	});

	test("a stream that others began is reported to like any other", async () => {
		const { store, send, strew } = await given();
		const { stream } = await (await given()).send(callback);
		await strew(stream);
		expect(await send(callback)).toEqual({ tag: "Reported", stream });
		expect((await loadRecording(store, stream)).recording.state).toBe("pending");
	});

	test("recordings and quarantine are folded from ours alone", async () => {
		const { store, send, strew } = await given();
		await strew("acme-orders", "recording-0", "quarantine-0");
		const { stream } = await send(callback);
		const quarantined = (await send("not json")).stream;
		await strew(stream, quarantined, "acme-orders");
		expect([...(await foldRecordings(store.readAll())).keys()]).toEqual([stream]);
		const quarantine = await foldQuarantine(store.readAll());
		expect([...quarantine.keys()]).toEqual([quarantined]);
		expect(quarantine.get(quarantined)).not.toHaveProperty("redriven");
	});

	test("a subscription is handed all of them, in order, as they are but for the prefix", async () => {
		const { reelkeep, store, send, strew } = await given();
		const { stream } = await send(callback);
		await strew(stream, "acme-orders");
		await send(renewed);
		const handled: unknown[] = [];
		const subscription = reelkeep.subscribe("all", async (event) => void handled.push(event));
		await subscription.whenCaughtUp();
		const events = await collect(store);
		expect(handled).toHaveLength(2 + 2 * strange().length);
		expect(handled).toEqual(
			events.map((event) =>
				event.id.startsWith("strange-") ? { ...event, type: `unknown:${event.type}` } : event,
			),
		);
	});

	test("the live events are ours alone and go on, and nothing is wrong", async () => {
		const { reelkeep, store, told, send, strew } = await given();
		const { stream } = await send(callback);
		const quarantined = (await send("not json")).stream;
		await strew(stream, quarantined, "acme-orders");
		await send(renewed);
		const ours = (await collect(store)).filter(({ id }) => !id.startsWith("strange-")).map(({ id }) => id);
		await expect.poll(() => told).toEqual(ours);
		expect(ours).toHaveLength(3);
		expect(await reelkeep.health.check()).toEqual([]);
	});
});

describe("an event of ours, of today's version, that is none", () => {
	const broken: NewEvent = {
		id: "broken",
		type: "LinkExpired",
		schemaVersion: 1,
		data: { cause: "marker-4711" },
		metadata: {},
	};

	test("is passed over by nobody: a subscription ends before it, the live events stop, and both are said", async () => {
		const { reelkeep, store, told, send } = await given();
		const { stream } = await send(callback);
		const handled: string[] = [];
		const subscription = reelkeep.subscribe("all", async ({ id }) => void handled.push(id));
		await subscription.whenCaughtUp();
		await store.append("recording-0", [broken], "any");
		await expect(subscription.ended).rejects.toThrow("event broken at position 2 is no LinkExpired");
		await send(renewed);
		const [reported] = await collect(store);
		expect(handled).toEqual([reported?.id]);
		await expect.poll(async () => (await reelkeep.health.check()).length).toBe(2);
		expect(JSON.stringify(await reelkeep.health.check())).not.toContain("marker-4711");
		expect(told).toEqual([reported?.id]);
		expect((await loadRecording(store, stream)).recording.links).toHaveLength(2);
	});

	test("keeps reports about its own recording from being stored, and those about others from nothing", async () => {
		const { store, send } = await given();
		const { stream } = await send(callback);
		await store.append(stream, [broken], "any");
		expect(await send(renewed)).toMatchObject({ tag: "Unavailable" });
		expect(await send(report("another").requestParam as string)).toMatchObject({ tag: "Reported" });
	});
});
