// Holds docs/promises.md, docs/attacks.md and docs/simulation.md to their word: every promise, attack and planted bug
// names a test and a one-line mutant of the product, and with the mutant in place that test must fail (that it passes
// without one, the test run shows). `3` checks promise 3 only, `attack-3` attack 3, `bug-3` bug 3. Works on copies, two
// mutants at once.

import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const only = process.argv[2];
const PROMISES = 10;
/** A run is mostly one thread, vitest's start: more at once than processors only makes tests with a clock fail. */
const AT_ONCE = 2;

/** `## N. Title`, `- test: \`file\` › "name"`, `- mutant: \`file\`` and a diff of one line. */
function readSections(file, prefix) {
	const text = readFileSync(join(root, file), "utf8");
	return text
		.split(/^## (?=\d+\. )/m)
		.slice(1)
		.map((section) => {
			const title = prefix + section.slice(0, section.indexOf("\n"));
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

async function runTest(copy, { testFile, testName }) {
	const pattern = testName.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
	const child = spawn(
		join(root, "node_modules/.bin/vitest"),
		["run", "--project", "unit", testFile, "-t", pattern],
		{ cwd: copy, timeout: 120_000, env: { ...process.env, NO_COLOR: "1" } },
	);
	let output = "";
	for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
	await new Promise((resolve, reject) => child.on("close", resolve).on("error", reject));
	const [, failed] = /^\d+ passed, (\d+) failed/m.exec(output) ?? [];
	return { failed: Number(failed), output };
}

/** What is wrong, if anything is. */
async function judge(copy, check) {
	const path = join(copy, check.file);
	const source = readFileSync(path, "utf8");
	const lines = source.split("\n");
	const places = lines.flatMap((line, index) => (line === check.before ? [index] : []));
	if (places.length !== 1)
		return `the mutant's line stands ${places.length} times in ${check.file}: ${check.before.trim()}`;
	writeFileSync(path, lines.with(places[0], check.after).join("\n"));
	try {
		const { failed, output } = await runTest(copy, check);
		if (failed >= 1) return undefined;
		return `SURVIVED: "${check.testName}" does not fail with the mutant\n${output.slice(-1500)}`;
	} finally {
		writeFileSync(path, source);
	}
}

async function judgeAll(checks) {
	const queue = [...checks];
	const copies = Array.from({ length: AT_ONCE }, copyCheckout);
	const work = async (copy) => {
		for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
			check.problem = await judge(copy, check);
		}
	};
	try {
		await Promise.all(copies.map(work));
	} finally {
		for (const copy of copies) rmSync(copy, { recursive: true, force: true });
	}
}

const promises = readSections("docs/promises.md", "");
const others = [readSections("docs/attacks.md", "attack-"), readSections("docs/simulation.md", "bug-")];
const sections = [...promises, ...others.flat()];
const chosen = sections.filter(({ title }) => only === undefined || title.startsWith(`${only}.`));
await judgeAll(chosen.flatMap(({ checks }) => checks));

let problems = 0;
let killed = 0;
for (const { title, checks, named } of chosen) {
	const found = checks.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
	killed += checks.length - found.length;
	if (checks.length === 0 || checks.length !== named) {
		found.push(
			`${named} tests or mutants are named, ${checks.length} are in the form that this script reads`,
		);
	}
	console.log(`${found.length === 0 ? "ok  " : "FAIL"} ${title} (${checks.length} mutants)`);
	for (const problem of found) console.log(`     ${problem}`);
	problems += found.length;
}
if (promises.length !== PROMISES) {
	console.log(`docs/promises.md has ${promises.length} promises, not ${PROMISES}`);
	problems += 1;
}
if (chosen.length === 0) {
	console.log(
		`there is nothing named ${only}: a number for a promise, attack-NUMBER for an attack, bug-NUMBER for a bug`,
	);
	problems += 1;
}
console.log(`${killed} mutants caught, ${problems} problems`);
process.exitCode = problems === 0 ? 0 : 1;
