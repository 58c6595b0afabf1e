// Where a callback's time goes: `node bench/src/profile.mjs [SECONDS]` loads a profiled server and prints the share of each
// part of the way. A function counts for the nearest caller that has a part; what has none, idle time left out, is the rest.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createRequests } from "./callbacks.mjs";
import { putLoad } from "./load.mjs";
import { createPlainTable } from "./plain-table.mjs";

/** The parts, each with what its files' paths end with or its functions are called. */
const PARTS = [
	["garbage collection", [], ["(garbage collector)"]],
	[
		"reading the form",
		["parameters.js", "parameter-collector.js", "check-parameters.js", "read-body.js"],
		[],
	],
	["signature and readings", ["verifier.js", "/signature.js", "reading.js", "timestamp.js"], []],
	["hash of the request, receipt", ["report-callback.js"], ["requestSha256"]],
	["JSON and codec", ["screen-record-callback.js"], ["decodeRequestParam"]],
	["identity, link, deadline", ["recording-id.js", "/link.js", "deadline.js", "report-recording.js"], []],
	["sealing", ["keyring.js"], []],
	["deciding, checking the event", ["execute.js", "/recording.js", "check-append.js"], []],
	[
		"append: encoding",
		["batch.js", "stream-hash.js"],
		["encodeBody", "encodeFrame", "sealLine", "writeRecord"],
	],
	["append: group commit, disk", ["group-commit.js", "log-tail.js", "durable-note.js", "log-index.js"], []],
	["live events: reading back", ["follow.js", "log-reader.js"], ["feed"]],
	["answer", ["envelope.js", "report.js", "status.js"], ["renderReply", "send"]],
	["time limits", ["time-limit.js", "receive.js"], ["withTimeout", "sleep"]],
	[
		"node:http and sockets",
		["node:_http_server", "node:_http_common", "node:_http_outgoing", "node:net"],
		[],
	],
];

const seconds = Number(process.argv[2] ?? 6);
const folder = mkdtempSync(join(tmpdir(), "reelkeep-profile-"));
try {
	const { perSecond, profile } = await profiled();
	const shares = shareOut(profile);
	const table = createPlainTable(["part", ">share", ">µs of a callback"]);
	const whole = [...shares.values()].reduce((sum, time) => sum + time, 0);
	// The profile spans the start too; what a callback takes is busy time over callbacks.
	const each = (busyShare(profile) * 1e6) / perSecond;
	for (const [part, time] of [...shares].sort((a, b) => b[1] - a[1])) {
		table.push([part, `${((100 * time) / whole).toFixed(1)} %`, ((each * time) / whole).toFixed(1)]);
	}
	console.log(`${Math.round(perSecond)} callbacks a second under the profiler, ${each.toFixed(0)} µs each`);
	console.log(table.toString());
} finally {
	rmSync(folder, { recursive: true });
}

async function profiled() {
	const server = spawn(
		process.execPath,
		[
			...["--cpu-prof", "--cpu-prof-interval", "200", "--cpu-prof-dir", join(folder, "profile")],
			...[fileURLToPath(new URL("serve.mjs", import.meta.url)), "reelkeep", join(folder, "data")],
		],
		{ stdio: ["pipe", "pipe", "inherit"] },
	);
	const requests = createRequests(seconds * 20_000, "profile");
	const [port] = await once(createInterface({ input: server.stdout }), "line");
	const { perSecond } = await putLoad({ port: Number(port), requests, connections: 64, seconds });
	server.stdin.end();
	await once(server, "exit");
	const [file] = readdirSync(join(folder, "profile"));
	return { perSecond, profile: JSON.parse(readFileSync(join(folder, "profile", file), "utf8")) };
}

/** Microseconds of each part, of the samples under load: what loads modules is left out. */
function shareOut({ nodes, samples, timeDeltas }) {
	const nodeOf = new Map(nodes.map((node) => [node.id, node]));
	const parentOf = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
	const partOf = new Map();
	for (const { id } of nodes) partOf.set(id, findPart(id, nodeOf, parentOf));
	const shares = new Map();
	for (const [index, id] of samples.entries()) {
		const part = partOf.get(id);
		if (part !== undefined) shares.set(part, (shares.get(part) ?? 0) + timeDeltas[index]);
	}
	return shares;
}

function findPart(id, nodeOf, parentOf) {
	let found;
	for (let at = id; at !== undefined; at = parentOf.get(at)) {
		const { functionName, url } = nodeOf.get(at).callFrame;
		if (functionName === "(idle)" || url.startsWith("node:internal/modules")) return undefined;
		found ??= PARTS.find(
			([, files, functions]) => files.some((file) => url.endsWith(file)) || functions.includes(functionName),
		)?.[0];
	}
	return found ?? "the rest";
}

/** Of the last half of the profile, which is all load: the share of time that is not idle. */
function busyShare({ nodes, samples, timeDeltas }) {
	const idle = new Set(
		nodes.filter(({ callFrame }) => callFrame.functionName === "(idle)").map(({ id }) => id),
	);
	let [busy, all] = [0, 0];
	for (let index = samples.length >> 1; index < samples.length; index += 1) {
		all += timeDeltas[index];
		if (!idle.has(samples[index])) busy += timeDeltas[index];
	}
	return busy / all;
}
