// The videos of a backup: those that were committed, each put under its name once it is whole.

import { join } from "node:path";
import { storeFault } from "@reelkeep/core/ports";
import { copyBytes, duringRead, listIfPresent } from "./backup-files.js";
import { refused } from "./backup-manifest.js";
import type { Meter } from "./backup-meter.js";
import {
	makeDurableDirectory,
	openIfPresent,
	sizeIfPresent,
	unlinkIfPresent,
	writeWhole,
} from "./durable-files.js";
import type { FileSystem, OpenFile } from "./file-system.js";
import { foldersOf, videosOf } from "./video-place.js";

/** Of what a video is called while it is written: as an upload under way, which a start on the copy removes. */
const PARTIAL_SUFFIX = ".0000000000000000.part";
/** Of the files of a folder, to learn their sizes. */
const LOOKS_AT_A_TIME = 16;

export interface VideoCopy {
	readonly fileSystem: FileSystem;
	/** The store's directory. */
	readonly directory: string;
	/** The backup's. */
	readonly to: string;
}

/** The bytes of all videos together. */
export async function measureVideos(fileSystem: FileSystem, directory: string): Promise<number> {
	let bytes = 0;
	for (const folder of await foldersOf(fileSystem, directory)) {
		const names = await videosOf(fileSystem, directory, folder);
		for (let at = 0; at < names.length; at += LOOKS_AT_A_TIME) {
			const paths = names.slice(at, at + LOOKS_AT_A_TIME).map((name) => pathOf(directory, folder, name));
			const sizes = await Promise.all(paths.map((path) => sizeIfPresent(fileSystem, path)));
			bytes += sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
		}
	}
	return bytes;
}

/**
 * Makes sure that `to` does not lose its videos because those of the store cannot be seen, or are not asked for.
 * *Errors*: rejects with `io`.
 */
export async function refuseToLoseVideos(
	{ fileSystem, directory, to }: VideoCopy,
	asked: boolean,
): Promise<void> {
	if (!(await hasVideos(fileSystem, to))) return;
	if (!asked) {
		throw refused(`the backup in ${to} has videos: take them along again, or name another directory`);
	}
	if (await hasVideos(fileSystem, directory)) return;
	throw refused(
		`there is no video in ${join(directory, "videos")}, and the backup in ${to} has some: is that volume mounted? If ` +
			"they are gone indeed, name another directory",
	);
}

async function hasVideos(fileSystem: FileSystem, directory: string): Promise<boolean> {
	for (const folder of await foldersOf(fileSystem, directory)) {
		if ((await videosOf(fileSystem, directory, folder)).length > 0) return true;
	}
	return false;
}

/**
 * Copies the videos that `to` does not have with the same size; resolves with how many it has of the store's now.
 * *Errors*: rejects with `io` that names the video; with the meter's reason. *Promise*: durable when it resolves.
 */
export async function copyVideos(copy: VideoCopy, meter: Meter): Promise<number> {
	const { fileSystem, directory, to } = copy;
	const videos = join(to, "videos");
	const partials = join(videos, "partial");
	await makeDurableDirectory(fileSystem, partials);
	let count = 0;
	for (const folder of await foldersOf(fileSystem, directory)) {
		await makeDurableDirectory(fileSystem, join(videos, folder));
		for (const name of await videosOf(fileSystem, directory, folder)) {
			meter.check();
			if (await copyVideo(copy, folder, name, meter)) count += 1;
		}
		// Also for those that were there: whoever put them there may have crashed before this.
		await fileSystem.syncDirectory(join(videos, folder));
	}
	for (const name of await listIfPresent(fileSystem, partials, /\.part$/)) {
		await unlinkIfPresent(fileSystem, join(partials, name));
	}
	await fileSystem.syncDirectory(partials);
	return count;
}

/** Resolves with `false` when the store has it no longer. */
async function copyVideo(copy: VideoCopy, folder: string, name: string, meter: Meter): Promise<boolean> {
	const { fileSystem, directory, to } = copy;
	const path = pathOf(directory, folder, name);
	const reading = `reading the video ${path}`;
	const source = await duringRead(reading, () => openIfPresent(fileSystem, path));
	if (source === undefined) return false;
	try {
		const { bytes } = await duringRead(reading, () => source.status());
		if ((await sizeIfPresent(fileSystem, pathOf(to, folder, name))) === bytes) meter.present(bytes);
		else await copyWhole(copy, { source, path, folder, name, bytes }, meter);
		return true;
	} finally {
		await source.close();
	}
}

interface OpenVideo {
	readonly source: OpenFile;
	readonly path: string;
	readonly folder: string;
	readonly name: string;
	readonly bytes: number;
}

async function copyWhole({ fileSystem, to }: VideoCopy, video: OpenVideo, meter: Meter): Promise<void> {
	const { source, path, folder, name, bytes } = video;
	const partial = join(to, "videos", "partial", name.replace(".mp4", PARTIAL_SUFFIX));
	await writeWhole(fileSystem, partial, async (target) => {
		const copied = await copyBytes(source, target, { reading: `reading the video ${path}`, meter });
		if (copied === bytes) return;
		throw storeFault("io", `the video ${path} changed while it was copied (${bytes} bytes, then ${copied})`);
	});
	await fileSystem.rename(partial, pathOf(to, folder, name));
}

/** Removes what the store has no longer; resolves with how many those were. *Promise*: durable when it resolves. */
export async function removeGoneVideos({ fileSystem, directory, to }: VideoCopy): Promise<number> {
	let removed = 0;
	for (const folder of await foldersOf(fileSystem, to)) {
		const kept = new Set(await videosOf(fileSystem, directory, folder));
		const gone = (await videosOf(fileSystem, to, folder)).filter((name) => !kept.has(name));
		for (const name of gone) await unlinkIfPresent(fileSystem, pathOf(to, folder, name));
		if (gone.length > 0) await fileSystem.syncDirectory(join(to, "videos", folder));
		removed += gone.length;
	}
	return removed;
}

function pathOf(directory: string, folder: string, name: string): string {
	return join(directory, "videos", folder, name);
}
