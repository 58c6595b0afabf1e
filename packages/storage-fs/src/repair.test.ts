import { cp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeEvent, LogRepaired } from "@reelkeep/core";
import type { RecordedEvent } from "@reelkeep/core/ports";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { segmentPath } from "./log-files.js";
import { readFrame } from "./log-format.js";
import { repairFsStorage } from "./repair.js";
import { scriptedDisk, systemError, temporaryDirectory, unsyncedDisk } from "./test-disk.js";
import { clock, collect, newEvent, openStore, rejection, soleOwnership } from "./test-store.js";
import { verifyFsStorage } from "./verify.js";

const SEGMENT_BYTES = 2048;
const ownership = soleOwnership;
const fileSystem = unsyncedDisk();
const verify = (directory: string) => verifyFsStorage({ directory, ownership, fileSystem });
const repair = (directory: string) => repairFsStorage({ directory, clock, ownership, fileSystem });
const open = (directory: string) => openStore(directory, { fileSystem, segmentBytes: SEGMENT_BYTES });

/** A log of some segments that was closed whole. */
async function closedLog(directory: string, events = 40): Promise<readonly RecordedEvent[]> {
	const store = await open(directory);
	for (let at = 0; at < events; at += 1) {
		const batch = Array.from({ length: (at % 3) + 1 }, () => newEvent("x".repeat((at * 37) % 300)));
		await store.append(`s-${at % 5}`, batch, "any");
	}
	const all = await collect(store.readAll());
	await store.close();
	return all;
}

async function eventsOf(directory: string): Promise<readonly RecordedEvent[]> {
	const store = await open(directory);
	const all = await collect(store.readAll());
	const byStream = await Promise.all(
		[0, 1, 2, 3, 4].map(async (at) => collect(store.read(`s-${at}`, { direction: "backward" }))),
	);
	byStream.push(await collect(store.read("log-repairs")));
	const streams = byStream.flat().sort((a, b) => Number(a.position) - Number(b.position));
	expect(streams).toEqual(all);
	expect(await collect(store.readAll({ direction: "backward" }))).toEqual([...all].reverse());
	await store.close();
	return all;
}

async function segmentsOf(directory: string): Promise<readonly Buffer[]> {
	const names = (await readdir(join(directory, "events"))).filter((name) => name.endsWith(".ndjson")).sort();
	return Promise.all(names.map((name) => readFile(join(directory, "events", name))));
}

/** The lines that are still there, each between two newlines. */
function linesOf(segments: readonly Buffer[]): ReadonlySet<string> {
	return new Set(segments.flatMap((segment) => segment.toString("latin1").split("\n").slice(0, -1)));
}

const DAMAGES: readonly (readonly [string, (directory: string) => Promise<void>])[] = [
	[
		"two segments that have successors",
		async (directory) => {
			const segment = await readFile(segmentPath(directory, 2));
			segment.fill("!", 500, 700);
			await writeFile(segmentPath(directory, 2), segment);
			await truncate(segmentPath(directory, 4), 900);
		},
	],
	[
		"a last segment that was cut",
		async (directory) => {
			const last = (await segmentsOf(directory)).length;
			await truncate(segmentPath(directory, last), 300);
		},
	],
	[
		"one event of the last batch",
		async (directory) => {
			const store = await open(directory);
			await Promise.all([0, 1, 2, 3, 4].map((at) => store.append(`s-${at}`, [newEvent()], "any")));
			await store.close();
			const last = (await segmentsOf(directory)).length;
			const segment = await readFile(segmentPath(directory, last));
			const at = segment.lastIndexOf('"stream":"s-2"');
			segment[at] = (segment[at] as number) ^ 1;
			await writeFile(segmentPath(directory, last), segment);
		},
	],
];

describe("a sound log", () => {
	test("is found sound, beside its owner too, and repairing changes nothing", async () => {
		const directory = await temporaryDirectory();
		const all = await closedLog(directory);
		const before = await segmentsOf(directory);
		const inspection = await verify(directory);
		expect(inspection).toMatchObject({
			position: all.length,
			events: all.length,
			damages: [],
			wrongIndexes: [],
		});
		expect(inspection.segments).toBe(before.length);
		expect(await repair(directory)).toEqual({ found: inspection, aside: [] });
		expect(await segmentsOf(directory)).toEqual(before);
		expect(await eventsOf(directory)).toEqual(all);
	});

	test("may end in a torn tail, which stays for the next open to cut", async () => {
		const directory = await temporaryDirectory();
		const all = await closedLog(directory);
		const last = segmentPath(directory, (await segmentsOf(directory)).length);
		const whole = await readFile(last);
		await writeFile(last, `${whole}{"position":"`);
		expect(await verify(directory)).toMatchObject({
			tornAt: whole.length,
			damages: [],
			position: all.length,
		});
		expect((await repair(directory)).aside).toEqual([]);
		expect((await readFile(last)).length).toBeGreaterThan(whole.length);
		expect(await eventsOf(directory)).toEqual(all);
	});
});

describe("a damaged log", () => {
	test("is refused until it is repaired; then all that can be read is there, and the rest is kept aside", async () => {
		const change = fc.record({
			segment: fc.nat(),
			at: fc.nat(),
			kind: fc.constantFrom("flip", "fill", "cut", "remove", "empty", "insert"),
			length: fc.integer({ min: 1, max: 900 }),
		});
		const original = await temporaryDirectory();
		const all = await closedLog(original);
		await fc.assert(
			fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
				const directory = await temporaryDirectory();
				await cp(original, directory, { recursive: true });
				for (const { segment, at, kind, length } of changes) {
					const path = segmentPath(directory, (segment % (await segmentsOf(directory)).length) + 1);
					const bytes = await readFile(path).catch(() => Buffer.alloc(0));
					const from = bytes.length === 0 ? 0 : at % bytes.length;
					if (kind === "remove") await rm(path, { force: true });
					else if (kind === "empty") await truncate(path, 0).catch(() => undefined);
					else if (kind === "cut") await truncate(path, from).catch(() => undefined);
					else if (kind === "insert")
						await writeFile(
							path,
							Buffer.concat([bytes.subarray(0, from), Buffer.alloc(length, 10), bytes.subarray(from)]),
						);
					else if (bytes.length > 0) {
						if (kind === "flip") bytes[from] = (bytes[from] as number) ^ 1;
						else bytes.fill("z", from, Math.min(bytes.length, from + length));
						await writeFile(path, bytes);
					}
				}
				const damaged = await segmentsOf(directory);
				if (damaged.length === 0) return;
				const left = linesOf(damaged);
				const report = await repair(directory);
				const repaired = linesOf(await segmentsOf(directory));
				expect(await verify(directory)).toMatchObject({ damages: [], wrongIndexes: [], tornAt: undefined });
				const found = await eventsOf(directory);
				for (const event of found) {
					if (event.type !== "LogRepaired") expect(event).toEqual(all[Number(event.position) - 1]);
				}
				// Every line that stood whole between its newlines, but headers, which are written anew.
				for (const line of left)
					if (readFrame(Buffer.from(line, "latin1")) !== undefined) expect(repaired).toContain(line);
				for (const name of report.aside)
					expect((await readFile(join(directory, name))).length).toBeGreaterThan(0);
				// No position is given out twice.
				const store = await open(directory);
				const next = await store.append("new", [newEvent()], "no-stream");
				const told = await collect(store.read("log-repairs"));
				const position = String(all.length + told.length + 1);
				expect(next).toMatchObject({ _tag: "Appended", position });
				await store.close();
			}),
			{ numRuns: 60, endOnFailure: true },
		);
	}, 60_000);

	test("tells segment, bytes and positions", async () => {
		const directory = await temporaryDirectory();
		const all = await closedLog(directory);
		const path = segmentPath(directory, 2);
		const segment = await readFile(path);
		const lines = segment.toString().split("\n");
		const third = segment.indexOf(lines[3] as string);
		const fifth = segment.indexOf(lines[5] as string);
		segment.fill("!", third + 3, fifth - 3);
		await writeFile(path, segment);
		const first = Number(/"position":"(\d+)"/.exec(lines[3] as string)?.[1]);
		const damage = { segment: 2, from: third, to: fifth, first, last: first + 1 };
		expect(await verify(directory)).toMatchObject({ damages: [damage], events: all.length - 2 });
		const { aside } = await repair(directory);
		expect(aside).toEqual([`events/damaged/00000002.ndjson-${third}-${clock.now()}`]);
		expect(await readFile(join(directory, aside[0] as string))).toEqual(segment.subarray(third, fifth));
		expect(await verify(directory)).toMatchObject({
			damages: [],
			lost: [{ first, last: first + 1 }],
			events: all.length - 1,
		});
	});

	test("that lost its end is told by its index file", async () => {
		const directory = await temporaryDirectory();
		const all = await closedLog(directory);
		const segments = await segmentsOf(directory);
		const header = (segments.at(-1) as Buffer).indexOf("\n") + 1;
		await truncate(segmentPath(directory, segments.length), header);
		const { found } = await repair(directory);
		const first = found.firstPositions.at(-1);
		expect(found.damages).toEqual([
			{ segment: segments.length, from: header, to: header, first, last: all.length },
		]);
		const left = await eventsOf(directory);
		expect(left.length).toBe(first);
		const lost = [{ first: String(first), last: String(all.length) }];
		const told = left.at(-1);
		expect(told).toMatchObject({
			type: "LogRepaired",
			data: { lost, aside: [] },
			metadata: { ingress: "repair" },
		});
		expect(told && decodeEvent(told)).toEqual(told);
	});

	for (const [what, damage] of DAMAGES) {
		test(`may be repaired again after the repair of ${what} was cut short at any step`, async () => {
			const original = await temporaryDirectory();
			await closedLog(original, 15);
			await damage(original);
			const { position } = await verify(original);
			const untouched = await temporaryDirectory();
			await cp(original, untouched, { recursive: true });
			await repair(untouched);
			const expected = (await eventsOf(untouched)).filter(({ type }) => type !== "LogRepaired");
			for (let step = 0, isDone = false; !isDone; step += 1) {
				const directory = await temporaryDirectory();
				await cp(original, directory, { recursive: true });
				const disk = scriptedDisk(fileSystem);
				let calls = 0;
				disk.before = ({ operation }) => {
					if (operation === "read" || operation === "status" || operation === "close") return;
					calls += 1;
					if (calls > step) throw systemError("EIO");
				};
				const cut = repairFsStorage({ directory, clock, ownership, fileSystem: disk.fileSystem });
				isDone = (await rejection(cut)) === undefined;
				await repair(directory);
				const found = await eventsOf(directory);
				expect(found.filter(({ type }) => type !== "LogRepaired")).toEqual(expected);
				const told = found.flatMap(({ data }) => (LogRepaired.is(data) ? data.lost : []));
				const lost = told.reduce((sum, { first, last }) => sum + Number(last) - Number(first) + 1, 0);
				expect(lost).toBe(position - expected.length);
				expect(await verify(directory)).toMatchObject({ damages: [], position: position + 1 });
			}
		}, 60_000);
	}
});
