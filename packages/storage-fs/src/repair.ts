// Makes a damaged log whole again without losing what can be read: damaged bytes are kept aside, and a line in their place
// says which events are gone, so that no position is ever given out twice.

import { randomUUID } from "node:crypto";
import { join, resolve } from "node:path";
import { LogRepaired, toNewEvent } from "@reelkeep/core";
import type { Clock } from "@reelkeep/core/ports";
import { makeDurableDirectory, toFault, unlinkIfPresent, writeWhole } from "./durable-files.js";
import { createFsEventStore, type FsEventStoreOptions } from "./event-store.js";
import type { FileSystem } from "./file-system.js";
import {
	type InspectOptions,
	inspectLog,
	type LogDamage,
	type LogInspection,
	type LostEvents,
} from "./inspect-log.js";
import type { LogSource } from "./load-log.js";
import {
	eventsDirectory,
	findSegments,
	indexPath,
	requireLog,
	segmentName,
	segmentPath,
} from "./log-files.js";
import { encodeHeader, encodeLost } from "./log-format.js";
import { MAX_POSITION } from "./log-index.js";
import { refuseNetworkFileSystem } from "./network-file-system.js";
import { createNodeFileSystem } from "./node-file-system.js";
import type { Ownership } from "./ownership.js";
import { createSegmentFiles, type SegmentFiles } from "./segment-files.js";
import { createSocketOwnership } from "./socket-ownership.js";

/** The stream in which a repair tells what was lost. */
const REPAIRS_STREAM = "log-repairs";
const ASIDE_DIRECTORY = "damaged";
const CHUNK_BYTES = 1024 * 1024;

export interface RepairOptions extends Pick<InspectOptions, "onProgress"> {
	/** The data directory. Nobody may own it. */
	readonly directory: string;
	/** As for the store. */
	readonly allowNetworkFileSystem?: boolean;
	readonly clock: Clock;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
	/** Default: by a Unix socket in the directory. */
	readonly ownership?: Ownership;
}

export interface RepairReport {
	/** What was wrong. */
	readonly found: LogInspection;
	/** The files that hold the damaged bytes, below the data directory. */
	readonly aside: readonly string[];
}

/**
 * Repairs the event log of `directory`; changes nothing when it is sound.
 * *Errors*: rejects with a `StoreFault`: `owned` while somebody runs on it, `io`.
 * *Promise*: every event that can be read is there afterwards, at its position; every damaged byte is in a file under
 * `events/damaged/`; the positions of lost events are never given out again, and a `LogRepaired` tells them. Cut short,
 * it can be run again.
 */
export async function repairFsStorage(options: RepairOptions): Promise<RepairReport> {
	const directory = resolve(options.directory);
	const {
		fileSystem = createNodeFileSystem(),
		ownership = createSocketOwnership(),
		clock,
		onProgress,
	} = options;
	const files = createSegmentFiles(fileSystem, directory);
	try {
		await requireLog(fileSystem, directory);
		if (options.allowNetworkFileSystem !== true) await refuseNetworkFileSystem(fileSystem, directory);
		const report = await repairAsOwner({ fileSystem, directory, files }, ownership, clock, onProgress);
		const lost = [...report.found.lost, ...report.found.damages.filter(({ first, last }) => first <= last)];
		const settings = { ...options, directory, fileSystem, ownership, maxEvents: MAX_POSITION };
		if (lost.length > 0) await recordLosses(settings, lost, report.aside);
		return report;
	} catch (error) {
		throw toFault(error, `repairing the event store in ${directory}`);
	} finally {
		await files.close();
	}
}

async function repairAsOwner(
	source: LogSource,
	ownership: Ownership,
	clock: Pick<Clock, "now">,
	onProgress: InspectOptions["onProgress"],
): Promise<RepairReport> {
	const owned = await ownership.acquire(source.directory, clock.now());
	try {
		const found = await inspectLog(source, onProgress && { onProgress });
		return { found, aside: await repairLog(source, found, clock.now()) };
	} finally {
		await owned.release();
	}
}

/**
 * Tells of the losses in the log itself, so that whoever follows it learns of them; and with that the log ends behind
 * every position that anybody has seen.
 */
async function recordLosses(
	options: FsEventStoreOptions,
	lost: readonly LostEvents[],
	aside: readonly string[],
): Promise<void> {
	const store = createFsEventStore(options);
	try {
		await store.open();
		const told = new Set<string>();
		for await (const { data } of store.read(REPAIRS_STREAM)) {
			if (LogRepaired.is(data)) for (const { first, last } of data.lost) told.add(`${first}-${last}`);
		}
		const untold = lost.filter(({ first, last }) => !told.has(`${first}-${last}`));
		if (untold.length === 0) return;
		const data: LogRepaired = {
			lost: untold.map(({ first, last }) => ({ first: String(first), last: String(last) })),
			aside,
		};
		const event = toNewEvent({ type: "LogRepaired", data }, { next: randomUUID }, { ingress: "repair" });
		await store.append(REPAIRS_STREAM, [event], "any");
	} finally {
		await store.close();
	}
}

async function repairLog(source: LogSource, found: LogInspection, now: number): Promise<readonly string[]> {
	const { fileSystem, directory } = source;
	const events = eventsDirectory(directory);
	const damaged = new Set(found.damages.map(({ segment }) => segment));
	for (const segment of found.wrongIndexes) {
		// That of a damaged segment may be all that tells what is missing: it stays until the segment is repaired.
		if (!damaged.has(segment)) await unlinkIfPresent(fileSystem, indexPath(directory, segment));
	}
	const bySegment = new Map<number, LogDamage[]>();
	for (const damage of found.damages) {
		bySegment.set(damage.segment, [...(bySegment.get(damage.segment) ?? []), damage]);
	}
	const aside: string[] = [];
	for (const [segment, damages] of bySegment) {
		const firstPosition = found.firstPositions[segment - 1] ?? 1;
		aside.push(...(await repairSegment(source, { segment, firstPosition }, damages, now)));
	}
	await fileSystem.syncDirectory(events);
	return aside;
}

/** Writes the segment anew: header, what is sound, and a line in the place of each loss. */
async function repairSegment(
	source: LogSource,
	header: { readonly segment: number; readonly firstPosition: number },
	damages: readonly LogDamage[],
	now: number,
): Promise<readonly string[]> {
	const { fileSystem, directory, files } = source;
	const { segment } = header;
	const path = segmentPath(directory, segment);
	const isPresent = (await findSegments(fileSystem, directory)).present.includes(segment);
	const bytes = isPresent ? (await files.use(segment, (file) => file.status())).bytes : 0;
	const aside = new Set<string>();
	const writeAnew = (padding: string) =>
		writePieces(fileSystem, `${path}.new`, async (target) => {
			if (damages[0]?.from === 0) await target.write(encodeHeader(header));
			let from = 0;
			for (const damage of damages) {
				await copy(files, segment, { from, to: damage.from }, target);
				const file = damage.from < damage.to ? await keepAside(source, damage, now) : "";
				if (file !== "") aside.add(file);
				// In front of the first event there is no append that was cut.
				if (damage.first <= damage.last || damage.from > 0) {
					await target.write(encodeLost(damage, file, padding));
				}
				from = damage.to;
			}
			// A torn tail too: the next open cuts it, and says so.
			await copy(files, segment, { from, to: bytes }, target);
		});
	// Of another length, so that the index file never fits it. That file goes last: it may be all that tells what is missing.
	if ((await writeAnew("")) === bytes) await writeAnew(',"padding":""');
	await fileSystem.rename(`${path}.new`, path);
	await fileSystem.syncDirectory(eventsDirectory(directory));
	await unlinkIfPresent(fileSystem, indexPath(directory, segment));
	await fileSystem.syncDirectory(eventsDirectory(directory));
	await files.reset();
	return [...aside];
}

/** Keeps the bytes of a damage in a file of their own; resolves with its path below the data directory. */
async function keepAside({ fileSystem, directory, files }: LogSource, damage: LogDamage, now: number) {
	const { segment, from, to } = damage;
	await makeDurableDirectory(fileSystem, join(eventsDirectory(directory), ASIDE_DIRECTORY));
	const name = `events/${ASIDE_DIRECTORY}/${segmentName(segment)}-${from}-${now}`;
	await writePieces(fileSystem, join(directory, name), (target) =>
		copy(files, segment, { from, to }, target),
	);
	await fileSystem.syncDirectory(join(eventsDirectory(directory), ASIDE_DIRECTORY));
	return name;
}

interface Target {
	write(bytes: Buffer): Promise<void>;
}

/** Writes a file piece by piece; resolves with its length. *Promise*: its bytes are durable when it resolves. */
async function writePieces(
	fileSystem: FileSystem,
	path: string,
	work: (target: Target) => Promise<void>,
): Promise<number> {
	return writeWhole(fileSystem, path, async (file) => {
		let at = 0;
		await work({
			async write(bytes) {
				await file.write(bytes, at);
				at += bytes.length;
			},
		});
		return at;
	});
}

async function copy(
	files: SegmentFiles,
	segment: number,
	{ from, to }: { readonly from: number; readonly to: number },
	target: Target,
): Promise<void> {
	for (let offset = from; offset < to; ) {
		const bytes = await files.read(segment, offset, Math.min(to, offset + CHUNK_BYTES));
		if (bytes.length === 0) return;
		await target.write(bytes);
		offset += bytes.length;
	}
}
