import { eventStoreSuite } from "@reelkeep/core/conformance";
import { expect, onTestFinished, test, vi } from "vitest";
import { createStreamHasher } from "./stream-hash.js";
import { copyOfDirectory, temporaryDirectory, unsyncedDisk } from "./test-disk.js";
import {
	appendNoted,
	collect,
	countSegmentFiles,
	expectNoted,
	fillNoted,
	type Notes,
	newEvent,
	openStore,
} from "./test-store.js";

// Every name has the same hash: what tells streams apart, then, is only that names are compared. Where a case has very many
// streams, which then are looked at one by one, there are a few hashes.
const spread = vi.hoisted(() => ({ hashes: 1 }));
vi.mock("./stream-hash.js", async (original) => ({
	...(await original<typeof import("./stream-hash.js")>()),
	createStreamHasher: (key: string) => ({
		key,
		hash: (name: string) =>
			0xab_ffff_ffff - ((name.length + name.charCodeAt(name.length - 1)) % spread.hashes),
	}),
}));

/** Clauses with very many streams. */
const CROWDED = ["distinct-streams", "reopened-streams"];

const small = { segmentBytes: 2048, fileSystem: unsyncedDisk() };

test("all names have the same hash here", () => {
	const { hash } = createStreamHasher("0001020304050607");
	expect(hash("a")).toBe(hash("b"));
});

test("streams that nothing but their names tells apart are each created once, and have versions of their own", async () => {
	const directory = await temporaryDirectory();
	const store = await openStore(directory, small);
	const names = Array.from({ length: 40 }, (_, at) => `recording-${at}`);
	const create = (name: string) => store.append(name, [newEvent()], "no-stream");
	// In one tick, and once more when all of them are there.
	const results = await Promise.all([...names, ...names].map(create));
	expect(results.slice(0, 40).every((result) => result._tag === "Appended" && result.version === 1)).toBe(
		true,
	);
	const lost = { _tag: "WrongExpectedVersion", actualVersion: 1 };
	expect(results.slice(40)).toEqual(names.map(() => lost));
	expect(await Promise.all(names.map(create))).toEqual(names.map(() => lost));
	for (const name of names) {
		expect(await store.append(name, [newEvent(), newEvent()], 1)).toMatchObject({ version: 3 });
		expect((await collect(store.read(name))).map(({ version }) => version)).toEqual([1, 2, 3]);
	}
	expect(await collect(store.read("recording-40"))).toEqual([]);
});

test("a log of many segments and of one hash is read and reopened like any other, after a crash too", async () => {
	const directory = await temporaryDirectory();
	const notes: Notes = [];
	let store = await openStore(directory, small);
	await fillNoted(store, notes, 60);
	await expectNoted(store, notes);
	expect(await countSegmentFiles(directory)).toBeGreaterThan(10);
	const image = await copyOfDirectory(directory);
	await store.close();
	for (const each of [directory, image]) {
		const own = [...notes];
		store = await openStore(each, small);
		await expectNoted(store, own);
		await appendNoted(store, own, "s-1-old", [newEvent()]);
		await appendNoted(store, own, "s-new", [newEvent()]);
		await expectNoted(store, own);
		await store.close();
	}
});

for (const { clause, name, run } of eventStoreSuite(async () => {
	const directory = await temporaryDirectory();
	return { open: () => openStore(directory, small), dispose: async () => {} };
})) {
	test(`the event store whose streams collide ${name}`, async (context) => {
		spread.hashes = CROWDED.includes(clause) ? 16 : 1;
		onTestFinished(() => {
			spread.hashes = 1;
		});
		if ((await run()) === "not-supported") context.skip();
	}, 20_000);
}
