// What lies under the final name of a video, where a link made by hand, a restore or a broken disk may have put anything.

import { basename } from "node:path";
import { withFile } from "./durable-files.js";
import { type FileSystem, hasCode } from "./file-system.js";
import type { VideoPlace } from "./video-place.js";

/** The length of a file in bytes; `no-file` for a directory, a pipe, a link to nothing, …; `undefined`: nothing. */
export type VideoLook = number | "no-file" | undefined;

/** *Errors*: rejects with the system's error; so do the others. */
export async function lookAtVideo(fileSystem: FileSystem, place: VideoPlace): Promise<VideoLook> {
	const look = await lookAtFile(fileSystem, place);
	if (look !== undefined || !(await isListed(fileSystem, place))) return look;
	// It may have come between the two.
	return (await lookAtFile(fileSystem, place)) ?? "no-file";
}

async function isListed(fileSystem: FileSystem, { folder, path }: VideoPlace): Promise<boolean> {
	try {
		return (await fileSystem.list(folder)).includes(basename(path));
	} catch (error) {
		if (hasCode(error, "ENOENT")) return false;
		throw error;
	}
}

/** As `lookAtVideo`, but for a link to nothing: that looks like nothing. */
export async function lookAtFile(fileSystem: FileSystem, { path }: VideoPlace): Promise<VideoLook> {
	try {
		return await withFile(fileSystem, path, async (file) => {
			const { bytes, isFile = true } = await file.status();
			return isFile ? bytes : "no-file";
		});
	} catch (error) {
		// A socket; a link that leads to itself.
		if (hasCode(error, "ENXIO", "ELOOP")) return "no-file";
		throw error;
	}
}
