// Runs one program on the packages as users get them, on each run time: `pnpm runtimes 20 22 24 26 bun deno`. Numbers
// are major versions of Node; Bun and Deno come from npm. What is known not to work must
// still not work, or docs/runtimes.md is wrong.

import { execFile } from "node:child_process";
import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	realpathSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { entriesOf, forEachAtOnce, pack, publicPackages } from "./pack-packages.mjs";

const run = promisify(execFile);
const TIME_MS = 180_000;
/** What does not work, and why: docs/runtimes.md. */
const KNOWN = { bun: ["most connections"], deno: ["no proxy"] };
/** Nobody listens there; what the program talks to but for its "no proxy" is exempt. */
const PROXIES = {
	HTTP_PROXY: "http://127.0.0.1:9",
	http_proxy: "http://127.0.0.1:9",
	NO_PROXY: "127.0.0.1,videos.test",
	no_proxy: "127.0.0.1,videos.test",
	NODE_USE_ENV_PROXY: "1",
};
const PROGRAM = "runtime-program.mjs";
const folder = mkdtempSync(join(tmpdir(), "reelkeep-runtimes-"));
const modules = join(folder, "node_modules");

/** How to start a program on a run time. */
function commandOf(runtime) {
	if (runtime === "bun") return ["bun@1.4.5"];
	if (runtime === "deno") return ["deno@2.9.6", "run", "--allow-all", "--node-modules-dir=manual"];
	if (/^\d+$/.test(runtime)) return [`node@${runtime}`];
	throw new Error(`${runtime} is no run time: give a major version of Node, bun or deno`);
}

/** A package as an installer puts it: unpacked, with its own dependencies in sight and nobody else's. */
async function unpack(manifest) {
	const { name, directory, dependencies, optionalDependencies, peerDependencies } = manifest;
	const place = join(modules, name);
	mkdirSync(place, { recursive: true });
	await run("tar", ["-xzf", await pack(manifest, folder), "-C", place, "--strip-components", "1"]);
	for (const needed of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
		if (!needed.startsWith("@reelkeep/")) link(directory, needed, place);
	}
}

/** Puts what `needed` is in `directory` under `place` too. */
function link(directory, needed, place) {
	const found = join(directory, "node_modules", needed);
	const target = join(place, "node_modules", needed);
	if (!existsSync(found)) return;
	mkdirSync(dirname(target), { recursive: true });
	symlinkSync(realpathSync(found), target);
}

/** `{ runtime, done }`: which one it was, and of each thing what failed; `undefined` for what works. */
async function tryOn(asked, entries) {
	const start = ["-y", ...commandOf(asked)];
	const options = { cwd: folder, timeout: TIME_MS, env: { ...process.env, ...PROXIES } };
	const { stdout, stderr } = await run("npx", [...start, PROGRAM, ...entries], options).catch((it) => it);
	const lines = (stdout ?? "").split("\n").filter((line) => line.startsWith("{"));
	const [{ runtime, names } = { runtime: asked, names: ["start"] }, ...answers] = lines.map((it) =>
		JSON.parse(it),
	);
	const failureOf = (name) => {
		const answer = answers.find((it) => it.name === name);
		return answer === undefined ? stderr || "the program ended before" : answer.failure;
	};
	const cli = join("node_modules", "@reelkeep", "cli", "dist", "reelkeep.js");
	const help = await run("npx", [...start, cli, "--help"], options).catch((it) => it);
	const cliFailure = /Usage: reelkeep/.test(help.stdout) ? undefined : help.stderr || "it said nothing";
	return {
		runtime,
		done: [...names.map((name) => [name, failureOf(name)]), ["reelkeep --help", cliFailure]],
	};
}

try {
	const runtimes = process.argv.slice(2);
	for (const runtime of runtimes) commandOf(runtime);
	const packages = publicPackages();
	await forEachAtOnce(packages, unpack);
	link(fileURLToPath(new URL("../packages/adapter-grpc", import.meta.url)), "@grpc/grpc-js", folder);
	cpSync(new URL(PROGRAM, import.meta.url), join(folder, PROGRAM));
	writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
	const entries = packages.flatMap(entriesOf).map(({ name }) => name);
	for (const asked of runtimes) {
		const startedAt = Date.now();
		const { runtime, done } = await tryOn(asked, entries);
		const known = KNOWN[asked] ?? [];
		const marks = done.map(([name, failure]) => {
			if (known.includes(name)) return `${name} ${failure ? "known not to work" : "WORKS NOW"}`;
			return `${name} ${failure ? "FAIL" : "ok"}`;
		});
		const seconds = Math.round((Date.now() - startedAt) / 1000);
		console.log(`${runtime.padEnd(14)} ${marks.join(", ")} (${seconds}s)`);
		for (const [name, failure] of done) {
			if (known.includes(name) === Boolean(failure)) continue;
			process.exitCode = 1;
			console.log(
				`FAIL ${runtime}: ${name}: ${failure ?? "works now; take it out of KNOWN and docs/runtimes.md"}`,
			);
		}
	}
} finally {
	rmSync(folder, { recursive: true, force: true });
}
