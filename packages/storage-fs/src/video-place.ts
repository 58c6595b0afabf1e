// Where videos lie in a data directory: `videos/ab/NAME.mp4`, by the first digits of their safe name.

import { dirname, join } from "node:path";
import { checkVideoLocation, locationOfVideo } from "@reelkeep/core/ports";
import { listIfPresent } from "./backup-files.js";
import { toFault } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";

const FOLDER = /^[0-9a-f]{2}$/;
const VIDEO = /^[0-9a-f]{64}\.mp4$/;

/** Where a video lies, or will lie, under its final name. */
export interface VideoPlace {
	/** Its path inside the data directory. */
	readonly location: string;
	readonly path: string;
	readonly folder: string;
}

/** `name`: the safe name of the video's key. */
export function placeOf(directory: string, name: string): VideoPlace {
	return placeAt(directory, locationOfVideo(name));
}

/** *Errors*: throws a `StoreFault` for what is no location of this store. */
export function placeAt(directory: string, location: string): VideoPlace {
	checkVideoLocation(location);
	const path = join(directory, location);
	return { location, folder: dirname(path), path };
}

/** The names of the folders of videos; none when there is no store. *Errors*: rejects with a `StoreFault`. */
export function foldersOf(fileSystem: FileSystem, directory: string): Promise<readonly string[]> {
	return listVideos(fileSystem, directory, "videos", FOLDER);
}

/** The names of the files in a folder of videos. *Errors*: rejects with a `StoreFault` that names the folder. */
export async function videosOf(
	fileSystem: FileSystem,
	directory: string,
	folder: string,
): Promise<readonly string[]> {
	const names = await listVideos(fileSystem, directory, `videos/${folder}`, VIDEO);
	return names.filter((name) => name.startsWith(folder));
}

async function listVideos(fileSystem: FileSystem, directory: string, folder: string, kind: RegExp) {
	try {
		return await listIfPresent(fileSystem, join(directory, folder), kind);
	} catch (error) {
		throw toFault(error, `listing ${folder}`);
	}
}
