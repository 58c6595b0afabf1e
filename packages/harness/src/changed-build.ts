// A copy of the built packages with one change: an earlier build, or one that dies at a certain line, for tests of what two builds
// do with one store.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

export interface ChangedBuild {
	/** Its `reelkeep.js`. */
	readonly entry: string;
	dispose(): void;
}

/**
 * Copies the build that `entry` (`packages/cli/dist/reelkeep.js`) belongs to, and changes one file of it.
 * *Errors*: throws when that file does not hold `from`.
 */
export function changedBuild(
	entry: string,
	change: { readonly file: string; readonly from: string; readonly to: string },
): ChangedBuild {
	const checkout = join(dirname(entry), "../../..");
	const root = mkdtempSync(join(tmpdir(), "reelkeep-changed-"));
	for (const name of readdirSync(join(checkout, "packages"))) {
		for (const part of ["dist", "package.json", "node_modules"]) {
			const [from, to] = [checkout, root].map((folder) => join(folder, "packages", name, part));
			cpSync(from as string, to as string, {
				recursive: true,
				verbatimSymlinks: true,
				filter: (path) => basename(path) !== ".vite" && !path.endsWith(".map"),
			});
		}
	}
	symlinkSync(join(checkout, "node_modules"), join(root, "node_modules"));
	const file = join(root, change.file);
	const text = readFileSync(file, "utf8");
	if (!text.includes(change.from)) throw new Error(`${change.file} does not hold what is to be changed`);
	writeFileSync(file, text.replace(change.from, change.to));
	return {
		entry: join(root, "packages/cli/dist/reelkeep.js"),
		dispose: () => rmSync(root, { recursive: true, force: true }),
	};
}
