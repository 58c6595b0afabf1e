// How fast videos come from a local origin, beside curl and aria2c, and what 64 downloads at once take of memory.
// `pnpm bench-downloads --help`. All sides take turns in each round, so that a busy machine slows them alike; what counts
// are the ratios within a round.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { printChecks, printTable } from "./bench-report.mjs";

const MIB = 1024 * 1024;
const HELP = `pnpm bench-downloads [OPTIONS]

  --runs N           rounds (default 5)
  --mib N            size of the video that comes alone (default 1024)
  --videos N         how many come at once (default 64)
  --video-mib N      size of each of these (default 16)
  --directory PATH   where a folder for all files is made, and removed (default: the system's for temporary files)
  --curl-floor N     least rate of one download, as a share of curl's (default 0.6; 0.9 is aimed at)
  --aria2c-floor N   least rate of many at once, as a share of aria2c's (default 0.9)
  --rss-mb N         most memory of a process with many at once, in MB (default 150)

Ends with 1 below a floor. A program that is not installed is left out, and named.
`;

const { values } = parseArgs({
	options: {
		runs: { type: "string", default: "5" },
		mib: { type: "string", default: "1024" },
		videos: { type: "string", default: "64" },
		"video-mib": { type: "string", default: "16" },
		directory: { type: "string", default: tmpdir() },
		"curl-floor": { type: "string", default: "0.6" },
		"aria2c-floor": { type: "string", default: "0.9" },
		"rss-mb": { type: "string", default: "150" },
		help: { type: "boolean", default: false },
	},
});
if (values.help) process.stdout.write(HELP);
else process.exitCode = await main();

async function main() {
	const runs = wholeNumber("runs");
	const one = { videos: 1, bytes: wholeNumber("mib") * MIB };
	const many = { videos: wholeNumber("videos"), bytes: wholeNumber("video-mib") * MIB };
	const most = Math.max(one.bytes, many.videos * many.bytes);
	const directory = mkdtempSync(join(values.directory, "reelkeep-bench-"));
	const { url, stop } = await startOrigin();
	const sides = [
		["curl", (folder) => curl(url, one, folder)],
		["reelkeep", (folder) => reelkeep(url, one, folder)],
		["reelkeep, no sync", (folder) => reelkeep(url, one, folder, "--no-sync")],
		["aria2c, many", (folder) => aria2c(url, many, folder)],
		["reelkeep, many", (folder) => reelkeep(url, many, folder)],
		["reelkeep, many, no sync", (folder) => reelkeep(url, many, folder, "--no-sync")],
	].filter(([name]) => name.startsWith("reelkeep") || isInstalled(name.replace(/,.*/, "")));
	const found = new Map(sides.map(([name]) => [name, []]));
	try {
		for (let round = 0; round < runs; round += 1) {
			process.stderr.write(`round ${round + 1} of ${runs}\n`);
			// Each begins once: whoever comes first finds another disk than who comes last.
			const turns = sides.map((_, turn) => sides[(round + turn) % sides.length]);
			for (const [name, measure] of turns) found.get(name).push(inFolder(directory, most, measure));
		}
	} finally {
		stop();
		rmSync(directory, { recursive: true, force: true });
	}
	return report(found);
}

function inFolder(directory, bytes, measure) {
	const folder = join(directory, "run");
	mkdirSync(folder);
	try {
		touchMemory(join(folder, "warm"), bytes);
		return measure(folder);
	} finally {
		// Before the system writes it to the disk: the next one is not to wait for that.
		rmSync(folder, { recursive: true });
	}
}

/** A virtual machine lends out memory that lies idle for a second, and whoever writes first would wait until it is back. */
function touchMemory(path, bytes) {
	const file = openSync(path, "w");
	const zeros = Buffer.alloc(MIB);
	for (let written = 0; written < bytes; written += MIB) writeSync(file, zeros);
	closeSync(file);
	rmSync(path);
}

/** Whether nothing is below its floor, as an exit code. */
function report(found) {
	const of = (name, member = "mbPerSecond") => (found.get(name) ?? []).map((run) => run[member]);
	const shareOf = (name, other, member) => of(name, member).map((rate, round) => rate / of(other)[round]);
	const rates = [...found.keys()].map((name) => [name, of(name)]);
	const hashed = ["curl, then sha256sum", of("curl", "hashedMbPerSecond")];
	printTable(
		"MB a second",
		[...rates, hashed].filter(([, numbers]) => numbers.length > 0),
	);
	const limits = {
		curl: { least: Number(values["curl-floor"]) },
		aria2c: { least: Number(values["aria2c-floor"]) },
		memory: { most: Number(values["rss-mb"]) },
	};
	const checks = [
		{ what: "rate of one, of curl's", found: shareOf("reelkeep", "curl"), ...limits.curl },
		{ what: "… without the commit", found: shareOf("reelkeep", "curl", "uncommittedMbPerSecond") },
		{ what: "… without any sync", found: shareOf("reelkeep, no sync", "curl") },
		{ what: "rate of many, of aria2c's", found: shareOf("reelkeep, many", "aria2c, many"), ...limits.aria2c },
		{ what: "… without any sync", found: shareOf("reelkeep, many, no sync", "aria2c, many") },
		{ what: "peak memory of many, MB", found: of("reelkeep, many", "rssMb"), ...limits.memory },
	];
	const compared = checks.filter((check) => check.found.every(Number.isFinite));
	const isFine = printChecks(compared);
	for (const { what } of checks) {
		if (!compared.some((check) => check.what === what)) console.log(`not compared, not installed: ${what}`);
	}
	return isFine ? 0 : 1;
}

function curl(url, { bytes }, folder) {
	const file = join(folder, "video");
	const seconds = run("curl", ["-sSf", "-o", file, `${url}/1.mp4?bytes=${bytes}`]);
	const hashed = seconds + run("sha256sum", [file]);
	return { mbPerSecond: bytes / 1e6 / seconds, hashedMbPerSecond: bytes / 1e6 / hashed };
}

/** As fast as it can: without allocating files first, each over one connection. */
function aria2c(url, { videos, bytes }, folder) {
	const list = join(folder, "list");
	const names = Array.from({ length: videos }, (_, index) => `${index}.mp4`);
	writeFileSync(list, names.map((name) => `${url}/${name}?bytes=${bytes}\n out=${name}\n`).join(""));
	const quick = ["--file-allocation=none", "--max-connection-per-server=1", "--split=1"];
	const flags = ["-q", "--no-conf", "-j", String(videos), ...quick, "-d", folder, "-i", list];
	return { mbPerSecond: (videos * bytes) / 1e6 / run("aria2c", flags) };
}

/** In a process of its own, without the time that starting it takes. */
function reelkeep(url, { videos, bytes }, folder, ...flags) {
	const script = fileURLToPath(new URL("bench-reelkeep.mjs", import.meta.url));
	const command = [script, url, String(videos), String(bytes), folder, ...flags];
	const { stdout, stderr, status } = spawnSync(process.execPath, command, { encoding: "utf8" });
	if (status !== 0) throw new Error(`reelkeep failed: ${stderr}`);
	const { wall, commit, rssMb } = JSON.parse(stdout);
	const megabytes = (videos * bytes) / 1e6;
	return { mbPerSecond: megabytes / wall, uncommittedMbPerSecond: megabytes / (wall - commit), rssMb };
}

/** Runs a program to its end. Seconds. */
function run(program, flags) {
	const startedAt = performance.now();
	const { status, stderr, error } = spawnSync(program, flags, { encoding: "utf8" });
	if (status !== 0) throw new Error(`${program} failed: ${error ?? stderr}`);
	return (performance.now() - startedAt) / 1000;
}

function isInstalled(program) {
	return spawnSync(program, ["--version"]).status === 0;
}

async function startOrigin() {
	const script = fileURLToPath(new URL("bench-origin.mjs", import.meta.url));
	const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
	const [url] = await once(createInterface({ input: child.stdout }), "line");
	return { url, stop: () => child.kill() };
}

function wholeNumber(name) {
	const number = Number(values[name]);
	if (!Number.isSafeInteger(number) || number < 1) throw new RangeError(`--${name} takes a whole number`);
	return number;
}
