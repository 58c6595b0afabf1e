// Where a backup must not go: into the store that it is of. Paths are compared as the machine resolves them.

import { realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import { refused } from "./backup-manifest.js";
import { hasCode } from "./file-system.js";

/** *Errors*: rejects with `io` when `to` is the store's directory or lies in it, by whatever symbolic links. */
export async function refuseInside(directory: string, to: string): Promise<void> {
	const way = relative(await resolveLinks(directory), await resolveLinks(to));
	if (way === "")
		throw refused(`${to} is the store itself; name a directory elsewhere, best on another disk`);
	if (way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way)) return;
	throw refused(`${to} lies in the store in ${directory}; name a directory elsewhere, best on another disk`);
}

/** Of a path that is not there yet: of what is there of it. */
async function resolveLinks(path: string): Promise<string> {
	try {
		return await realpath(path);
	} catch (error) {
		if (!hasCode(error, "ENOENT") || dirname(path) === path) throw error;
		return join(await resolveLinks(dirname(path)), basename(path));
	}
}
