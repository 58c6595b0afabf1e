// Where the time goes on the three ways that matter: `node bench/src/profile.mjs --help`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { plotBars } from "./bars.mjs";
import { createRequests } from "./callbacks.mjs";
import { putLoad } from "./load.mjs";
import { createPlainTable } from "./plain-table.mjs";
import { PARTS, shareOut } from "./profile-parts.mjs";
import { writeFile, writeJson } from "./write-file.mjs";

const CONNECTIONS = 64;
/** No server that looks at them answers as many a second. */
const MOST_PER_SECOND = 30_000;
const VIDEO = Buffer.alloc(64 * 1024, "video");
const WAYS = {
	callbacks: { title: "a callback, 64 connections", run: callbacks },
	replay: { title: "an event replayed", run: replay },
	pending: { title: "a pending video of 64 KiB kept", run: pending },
};
const HELP = `node bench/src/profile.mjs [WAY …] [OPTIONS]

Prints the processor time of each part of a way: ${Object.keys(WAYS).join(", ")} (default: all).

  --seconds N     how long callbacks are sent (default 6)
  --events N      how long the log is that is replayed (default 200000)
  --videos N      how many videos are pending (default 20000)
  --json FILE     where the figures are written
  --before FILE   figures of another run, to be plotted beside these
  --svg FILE      where the plot is written
`;

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		seconds: { type: "string", default: "6" },
		events: { type: "string", default: "200000" },
		videos: { type: "string", default: "20000" },
		json: { type: "string" },
		before: { type: "string" },
		svg: { type: "string" },
		help: { type: "boolean", default: false },
	},
});
if (values.help) process.stdout.write(HELP);
else process.exitCode = await main(positionals.length > 0 ? positionals : Object.keys(WAYS));

async function main(ways) {
	const [seconds, events, videos] = ["seconds", "events", "videos"].map((name) => Number(values[name]));
	if (ways.some((way) => !Object.hasOwn(WAYS, way)) || ![seconds, events, videos].every((n) => n >= 1)) {
		process.stderr.write(HELP);
		return 2;
	}
	const found = {};
	for (const way of ways) {
		const folder = mkdtempSync(join(tmpdir(), "reelkeep-profile-"));
		try {
			found[way] = await WAYS[way].run({ folder, seconds, events, videos });
		} finally {
			rmSync(folder, { recursive: true });
		}
		print(WAYS[way].title, found[way]);
	}
	const before = values.before === undefined ? {} : JSON.parse(readFileSync(values.before, "utf8"));
	if (values.json !== undefined) writeJson(values.json, found);
	if (values.svg !== undefined) writeFile(values.svg, plot(found, before));
	return 0;
}

async function callbacks({ folder, seconds }) {
	const profiled = startProfiled("serve.mjs", ["reelkeep", join(folder, "data")], folder);
	const [port] = await once(profiled.lines, "line");
	const load = (run, long) =>
		putLoad({
			port: Number(port),
			requests: createRequests(long * MOST_PER_SECOND, run),
			connections: CONNECTIONS,
			seconds: long,
		});
	await load("warm", 2);
	const fromMs = profiled.elapsedMs();
	const { perSecond } = await load("profile", seconds);
	// What is measured is the load's second half, what is profiled its whole.
	return figures(await profiled.end(), "callbacks", fromMs, perSecond * seconds);
}

async function replay({ folder, events }) {
	await startProfiled("replay.mjs", ["reelkeep", folder, String(events)], folder).end();
	const profiled = startProfiled("replay.mjs", ["reelkeep", folder, String(events)], folder);
	return figures(await profiled.end(), "replay", 0, events);
}

async function pending({ folder, videos }) {
	const origin = createServer((_, response) => response.end(VIDEO)).listen(0, "127.0.0.1");
	await once(origin, "listening");
	const { port } = origin.address();
	const profiled = startProfiled("pending.mjs", [folder, String(videos), String(port)], folder);
	await once(profiled.lines, "line");
	const fromMs = profiled.elapsedMs();
	const profile = await profiled.end();
	origin.closeAllConnections();
	origin.close();
	return figures(profile, "pending", fromMs, videos);
}

/** `end` resolves with the profile, once the program has ended, for which its standard input does. */
function startProfiled(file, args, folder) {
	const profiles = mkdtempSync(join(folder, "profile-"));
	const options = ["--cpu-prof", "--cpu-prof-interval", "200", "--cpu-prof-dir", profiles];
	const start = performance.now();
	const program = spawn(
		process.execPath,
		[...options, fileURLToPath(new URL(file, import.meta.url)), ...args],
		{ stdio: ["pipe", "pipe", "inherit"] },
	);
	const exited = once(program, "exit");
	return {
		lines: createInterface({ input: program.stdout }),
		elapsedMs: () => performance.now() - start,
		async end() {
			program.stdin.end();
			const [code] = await exited;
			if (code !== 0) throw new Error(`${file} ended with ${code}`);
			const [profile] = readdirSync(profiles);
			return JSON.parse(readFileSync(join(profiles, profile), "utf8"));
		},
	};
}

/** Microseconds of each part for one of `count`, the most first. */
function figures(profile, way, fromMs, count) {
	const shares = shareOut(profile, PARTS[way], fromMs);
	const each = [...shares].map(([part, time]) => [part, time / count]);
	return Object.fromEntries(each.sort((a, b) => b[1] - a[1]));
}

function print(title, parts) {
	const whole = wholeOf(parts);
	const table = createPlainTable([`${title}: ${whole.toFixed(1)} µs`, ">share", ">µs"]);
	for (const [part, time] of Object.entries(parts))
		table.push([part, `${((100 * time) / whole).toFixed(1)} %`, time.toFixed(1)]);
	console.log(`${table.toString()}\n`);
}

function plot(found, before) {
	const panels = Object.entries(found).map(([way, parts]) => ({
		title: WAYS[way].title,
		rows: Object.entries(parts).map(([part, now]) => ({ part, now, before: before[way]?.[part] })),
	}));
	return plotBars("Processor time of each part, in µs", panels);
}

function wholeOf(parts) {
	return Object.values(parts).reduce((sum, time) => sum + time, 0);
}
