// For this package's tests only: a store with everything in it, and what must be so of a backup at any time.

import { createHash } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Position, toPosition } from "@reelkeep/core/ports";
import { expect } from "vitest";
import { type BackupOptions, type BackupReport, backupFsStorage } from "./backup.js";
import { createFsCheckpointStore } from "./checkpoint-store.js";
import type { FsEventStore } from "./event-store.js";
import { createFileKeyring } from "./keyring.js";
import { temporaryDirectory, unsyncedDisk } from "./test-disk.js";
import {
	clock,
	collect,
	countSegmentFiles,
	newEvent,
	openStore,
	segmentFile,
	soleOwnership,
} from "./test-store.js";
import { createFsVideoStore } from "./video-store.js";

/** So that a few events fill one. */
const SMALL_SEGMENT_BYTES = 1024;

/** What a store of these tests is filled by. */
export interface Filler {
	readonly store: FsEventStore;
	/** Appends events of about 300 bytes. */
	append(count: number): Promise<void>;
	/** Commits a video of so many bytes, then appends an event that names its location. */
	keepVideo(key: string, bytes: number): Promise<void>;
	/** Moves a checkpoint to the last event. */
	moveCheckpoint(name: string): Promise<void>;
	close(): Promise<void>;
}

export interface LoggedEvent {
	readonly position: string;
	readonly data: { readonly note: string | { readonly location: string; readonly bytes: number } };
}

let serial = 0;

/** Opens the store of `directory` to put something in. */
export async function openFiller(
	directory: string,
	options: Parameters<typeof openStore>[1] = {},
): Promise<Filler> {
	const fileSystem = unsyncedDisk();
	const store = await openStore(directory, { fileSystem, segmentBytes: SMALL_SEGMENT_BYTES, ...options });
	await createFileKeyring({ file: join(directory, "keys.json"), fileSystem }).load({ createIfMissing: true });
	const checkpoints = createFsCheckpointStore({ directory, fileSystem });
	await checkpoints.open();
	const videos = createFsVideoStore({ directory, fileSystem });
	await videos.start();
	const append = async (note: unknown) => {
		serial += 1;
		// Of one length, so that segments end at the same events in every test.
		const id = `event-${String(serial).padStart(6, "0")}`;
		return store.append(`s-${serial % 5}`, [{ ...newEvent(note), id }], "any");
	};
	return {
		store,
		async append(count) {
			for (let at = 0; at < count; at += 1) await append("x".repeat(100));
		},
		async keepVideo(key, bytes) {
			const upload = await videos.begin(key);
			await upload.write(Buffer.alloc(bytes, key));
			const { video } = await upload.commit();
			await append({ location: video.location, bytes });
		},
		async moveCheckpoint(name) {
			const last = await collect(store.readAll({ direction: "backward", limit: 1 }));
			const position = last[0]?.position ?? toPosition(0);
			await checkpoints.save(name, position, await checkpoints.load(name));
		},
		async close() {
			await videos.close();
			await checkpoints.close();
			await store.close();
		},
	};
}

/** Makes a store with some segments, videos and checkpoints, closed as a server closes it. */
export async function makeStore(directory: string): Promise<void> {
	const filler = await openFiller(directory);
	await filler.append(7);
	await filler.keepVideo("first", 1_200_000);
	await filler.keepVideo("empty", 0);
	await filler.moveCheckpoint("behind");
	await filler.append(4);
	await filler.keepVideo("third", 5);
	await filler.moveCheckpoint("archiver");
	await filler.close();
}

/** What happens to it between two backups. */
export async function growStore(directory: string): Promise<void> {
	const filler = await openFiller(directory);
	await filler.append(5);
	await filler.keepVideo("later", 100_000);
	await filler.moveCheckpoint("archiver");
	await filler.moveCheckpoint("new");
	await filler.close();
}

/** A store with everything in it, and where its backups go. */
export async function backupScene(): Promise<{ root: string; directory: string; to: string }> {
	const root = await temporaryDirectory();
	const directory = join(root, "data");
	await makeStore(directory);
	return { root, directory, to: join(root, "deep", "copy") };
}

/** A backup without sockets and syncs. */
export function backUp(
	directory: string,
	to: string,
	options: Partial<BackupOptions> = {},
): Promise<BackupReport> {
	return backupFsStorage({
		directory,
		to,
		clock,
		fileSystem: unsyncedDisk(),
		ownership: soleOwnership,
		...options,
	});
}

/** Every file and directory below, with its mode and what it holds; but for when a backup was taken. */
export async function treeOf(directory: string): Promise<ReadonlyMap<string, string>> {
	const names = await readdir(directory, { recursive: true });
	const tree = new Map<string, string>();
	for (const name of names.sort()) {
		const status = await stat(join(directory, name));
		const mode = (status.mode & 0o777).toString(8);
		tree.set(name, `${mode} ${status.isDirectory() ? "" : digestOf(await readFile(join(directory, name)))}`);
	}
	return tree;
}

/** Small files as they are, so that a difference can be seen. */
function digestOf(content: Buffer): string {
	if (content.length > 10_000) return createHash("sha256").update(content).digest("hex");
	return content.toString("latin1").replace(/"takenAt":"[^"]*"/, "");
}

/** The events that stand in the log of `directory`, whole lines, read without the store's own readers. */
export async function eventsOf(directory: string): Promise<readonly LoggedEvent[]> {
	const events: LoggedEvent[] = [];
	for (let segment = 1; segment <= (await countSegmentFiles(directory)); segment += 1) {
		const lines = (await readFile(segmentFile(directory, segment), "utf8")).split("\n").slice(1, -1);
		events.push(...lines.map((line) => JSON.parse(line)).filter(({ position }) => position !== undefined));
	}
	return events;
}

/**
 * That what lies in `copy` is something that the store of `directory` once was: its events are the first of the store's,
 * no checkpoint is ahead of them, and each video that they tell of is there.
 */
export async function expectOnceSo(copy: string, directory: string): Promise<readonly LoggedEvent[]> {
	const events = await eventsOf(copy);
	expect(events).toEqual((await eventsOf(directory)).slice(0, events.length));
	for (const position of await checkpointsOf(copy)) {
		expect(Number(position)).toBeLessThanOrEqual(events.length);
	}
	for (const { data } of events) {
		const { note } = data;
		if (typeof note !== "object") continue;
		const { location, bytes } = note;
		const video = await readFile(join(copy, location));
		expect(video.length).toBe(bytes);
		expect(video.equals(await readFile(join(directory, location)))).toBe(true);
	}
	return events;
}

export async function checkpointsOf(directory: string): Promise<readonly Position[]> {
	const folder = join(directory, "checkpoints");
	const files = await readdir(folder).catch((): string[] => []);
	const texts = await Promise.all(
		files.filter((file) => file.endsWith(".json")).map((file) => readFile(join(folder, file), "utf8")),
	);
	return texts.map((text) => JSON.parse(text).position as Position);
}

export function hasManifest(directory: string): Promise<boolean> {
	return stat(join(directory, "backup.json")).then(
		() => true,
		() => false,
	);
}

/** Changes one byte of a file. */
export async function damage(path: string, at: number): Promise<void> {
	const bytes = await readFile(path);
	const place = at < 0 ? bytes.length + at : at;
	bytes[place] = (bytes[place] as number) ^ 1;
	await writeFile(path, bytes);
}

/** Where the video lies that the event at `position` tells of. */
export async function videoAt(directory: string, position: number): Promise<string> {
	const note = (await eventsOf(directory))[position - 1]?.data.note as
		| { readonly location: string }
		| undefined;
	return note?.location ?? "";
}

/** The bytes of all segments. */
export async function logBytesOf(directory: string): Promise<number> {
	const count = await countSegmentFiles(directory);
	const files = Array.from({ length: count }, (_, at) => stat(segmentFile(directory, at + 1)));
	return (await Promise.all(files)).reduce((sum, { size }) => sum + size, 0);
}
