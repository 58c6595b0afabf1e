// Holds docs/promises.md to its word: every promise names a test and a one-line mutant of the product, and with the
// mutant in place that test must fail (that it passes without one, the test run shows). Works on a copy.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const only = process.argv[2];

/** `## N. Title`, `- test: \`file\` › "name"`, `- mutant: \`file\`` and a diff of one line. */
function readPromises() {
	const text = readFileSync(join(root, "docs/promises.md"), "utf8");
	return text
		.split(/^## (?=\d+\. )/m)
		.slice(1)
		.map((section) => {
			const title = section.slice(0, section.indexOf("\n"));
			const checks = [
				...section.matchAll(
					/^- test: `([^`]+)` › "([^"]+)"\n- mutant: `([^`]+)`\n\n```diff\n-(.*)\n\+(.*)\n```$/gm,
				),
			].map(([, testFile, testName, file, before, after]) => ({ testFile, testName, file, before, after }));
			// A pair that this script cannot read must not be passed over.
			const named = Math.max(
				section.match(/^- test:/gm)?.length ?? 0,
				section.match(/^- mutant:/gm)?.length ?? 0,
			);
			return { title, checks, named };
		});
}

function copyCheckout() {
	const copy = mkdtempSync(join(tmpdir(), "reelkeep-mutants-"));
	const left = new Set(["node_modules", ".git", ".artifacts"]);
	cpSync(root, copy, {
		recursive: true,
		verbatimSymlinks: true,
		filter: (path) => !left.has(relative(root, path)) && !relative(root, path).split("/").includes("dist"),
	});
	symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
	return copy;
}

function runTest(copy, { testFile, testName }) {
	const pattern = testName.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
	const { stdout, stderr } = spawnSync(
		join(root, "node_modules/.bin/vitest"),
		["run", "--project", "unit", testFile, "-t", pattern],
		{ cwd: copy, encoding: "utf8", timeout: 60_000, env: { ...process.env, NO_COLOR: "1" } },
	);
	const [, passed, failed] = /^(\d+) passed, (\d+) failed/m.exec(stdout) ?? [];
	return { passed: Number(passed), failed: Number(failed), output: stdout + stderr };
}

function judge(copy, check) {
	const path = join(copy, check.file);
	const source = readFileSync(path, "utf8");
	const lines = source.split("\n");
	const places = lines.flatMap((line, index) => (line === check.before ? [index] : []));
	if (places.length !== 1)
		return `the mutant's line stands ${places.length} times in ${check.file}: ${check.before.trim()}`;
	writeFileSync(path, lines.with(places[0], check.after).join("\n"));
	try {
		const { failed, output } = runTest(copy, check);
		if (failed >= 1) return undefined;
		return `SURVIVED: "${check.testName}" does not fail with the mutant\n${output.slice(-1500)}`;
	} finally {
		writeFileSync(path, source);
	}
}

const promises = readPromises();
const copy = copyCheckout();
let problems = 0;
let killed = 0;
try {
	for (const { title, checks, named } of promises) {
		if (only !== undefined && !title.startsWith(`${only}.`)) continue;
		const results = checks.map((check) => judge(copy, check)).filter((problem) => problem !== undefined);
		if (checks.length === 0 || checks.length !== named) {
			results.push(
				`${named} tests or mutants are named, ${checks.length} are in the form that this script reads`,
			);
		}
		console.log(`${results.length === 0 ? "ok  " : "FAIL"} ${title} (${checks.length} mutants)`);
		for (const problem of results) console.log(`     ${problem}`);
		problems += results.length;
		killed += checks.length - results.length;
	}
} finally {
	rmSync(copy, { recursive: true, force: true });
}
if (promises.length !== 10) {
	console.log(`docs/promises.md has ${promises.length} promises, not 10`);
	problems += 1;
}
console.log(`${killed} mutants caught, ${problems} problems`);
process.exitCode = problems === 0 ? 0 : 1;
