// The publishable packages as tarballs, packed once for whoever looks at what users get.

import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../packages/", import.meta.url));

/** `{ name, directory, exports }` of every publishable package. */
export function publicPackages() {
	return readdirSync(root)
		.map((name) => join(root, name))
		.filter((directory) => existsSync(join(directory, "package.json")))
		.map((directory) => ({
			directory,
			...JSON.parse(readFileSync(join(directory, "package.json"), "utf8")),
		}))
		.filter((manifest) => !manifest.private)
		.map(({ name, directory, exports = {} }) => ({ name, directory, exports }));
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
