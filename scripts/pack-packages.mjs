// The publishable packages as tarballs, packed once for whoever looks at what users get.

import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../packages/", import.meta.url));

/** The manifest of every publishable package, and its `directory`. */
export function publicPackages() {
	return readdirSync(root)
		.map((name) => join(root, name))
		.filter((directory) => existsSync(join(directory, "package.json")))
		.map((directory) => ({
			exports: {},
			...JSON.parse(readFileSync(join(directory, "package.json"), "utf8")),
			directory,
		}))
		.filter((manifest) => !manifest.private);
}

/** `{ name, file }` of what a package's users can import: `@reelkeep/core/ports`, and the built file behind it. */
export function entriesOf({ name, directory, exports }) {
	return Object.entries(exports).map(([path, { default: file }]) => ({
		name: name + path.slice(1),
		file: join(directory, file),
	}));
}

/** The tarball of one package, in `folder`. */
export async function pack({ name, directory }, folder) {
	const tarball = join(folder, `${name.replace(/\W+/g, "-")}.tgz`);
	await run("pnpm", ["pack", "--out", tarball], { cwd: directory });
	return tarball;
}

/** Calls `work` for each item, as many at a time as there are processors. */
export async function forEachAtOnce(items, work) {
	const waiting = [...items];
	const worker = async () => {
		for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
	};
	await Promise.all(Array.from({ length: availableParallelism() }, worker));
}
