// Packs every publishable package and looks at the tarball as its users get it: publint, the types as an ES module's
// importers resolve them (attw), no tests, no source maps without sources, no workspace ranges, no install scripts.

import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { forEachAtOnce, pack, publicPackages } from "./pack-packages.mjs";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "reelkeep-pack-"));
let problems = 0;

function complain(name, problem) {
	problems += 1;
	console.log(`FAIL ${name}: ${problem}`);
}

/** Runs one of the workspace's own tools; what it prints when it is not content is a complaint. */
async function ask(name, tool, args) {
	const program = fileURLToPath(new URL(`../node_modules/.bin/${tool}`, import.meta.url));
	try {
		await run(program, args);
	} catch (error) {
		complain(name, `${tool}: ${`${error.stdout ?? ""}${error.stderr ?? ""}` || error}`);
	}
}

async function checkPackage(manifest) {
	const { name } = manifest;
	const tarball = await pack(manifest, folder);
	const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trim().split("\n");
	const packed = JSON.parse(
		execFileSync("tar", ["-xzOf", tarball, "package/package.json"], { encoding: "utf8" }),
	);
	const text = JSON.stringify(packed);
	const before = problems;
	if (/workspace:|catalog:/.test(text)) complain(name, "a range of the workspace is left in package.json");
	if (text.includes("@reelkeep/source")) complain(name, "the source condition is left in exports");
	if (/"(pre|post)?install"/.test(text)) complain(name, "an install script");
	for (const needed of ["package/README.md", "package/package.json"]) {
		if (!files.includes(needed)) complain(name, `${needed} is missing`);
	}
	// The testing kit gives its users captured requests and a video.
	const own =
		name === "@reelkeep/testing" ? /\.test\.|tsbuildinfo|\.map$/ : /\.test\.|tsbuildinfo|fixtures|\.map$/;
	const stray = files.filter((file) => own.test(file));
	if (stray.length > 0) complain(name, `stray files: ${stray.slice(0, 3).join(", ")}`);
	await ask(name, "publint", ["run", tarball, "--strict"]);
	// A package without entry points, the command line, has no types to resolve.
	const entries = Object.keys(packed.exports ?? {}).length;
	if (entries > 0) await ask(name, "attw", [tarball, "--profile", "esm-only", "--format", "ascii"]);
	if (problems === before) {
		console.log(`ok   ${name}@${packed.version}: ${files.length} files, ${entries} entry points`);
	}
}

try {
	await forEachAtOnce(publicPackages(), checkPackage);
} finally {
	rmSync(folder, { recursive: true, force: true });
}
process.exitCode = problems === 0 ? 0 : 1;
