// Packs every publishable package and looks at the tarball as its users get it: publint, no tests, no source maps
// without sources, no workspace ranges, no install scripts.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../packages/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "reelkeep-pack-"));
let problems = 0;

function complain(name, problem) {
	problems += 1;
	console.log(`FAIL ${name}: ${problem}`);
}

function checkPackage(directory) {
	const { name, private: isPrivate } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
	if (isPrivate) return;
	const tarball = join(folder, `${name.replace(/\W+/g, "-")}.tgz`);
	execFileSync("pnpm", ["pack", "--out", tarball], { cwd: directory, stdio: "pipe" });
	const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trim().split("\n");
	const packed = JSON.parse(
		execFileSync("tar", ["-xzOf", tarball, "package/package.json"], { encoding: "utf8" }),
	);
	const text = JSON.stringify(packed);
	if (/workspace:|catalog:/.test(text)) complain(name, "a range of the workspace is left in package.json");
	if (text.includes("@reelkeep/source")) complain(name, "the source condition is left in exports");
	if (/"(pre|post)?install"/.test(text)) complain(name, "an install script");
	for (const needed of ["package/README.md", "package/package.json"]) {
		if (!files.includes(needed)) complain(name, `${needed} is missing`);
	}
	const stray = files.filter((file) => /\.test\.|tsbuildinfo|fixtures|\.map$/.test(file));
	if (stray.length > 0) complain(name, `stray files: ${stray.slice(0, 3).join(", ")}`);
	try {
		execFileSync(
			fileURLToPath(new URL("../node_modules/.bin/publint", import.meta.url)),
			["run", tarball, "--strict"],
			{
				encoding: "utf8",
			},
		);
		console.log(`ok   ${name}@${packed.version}: ${files.length} files`);
	} catch (error) {
		complain(name, `publint: ${error.stdout ?? error}`);
	}
}

try {
	for (const name of readdirSync(packages)) checkPackage(join(packages, name));
} finally {
	rmSync(folder, { recursive: true, force: true });
}
process.exitCode = problems === 0 ? 0 : 1;
