// What is measured: each workload, who does it, and which ratios it must keep (issue 8: floor and aim).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createRequests } from "./callbacks.mjs";
import { replays, reports } from "./grpc.mjs";
import { putLoad } from "./load.mjs";

const CONNECTIONS = 64;
/** No server that looks at them answers as many a second. */
const MOST_PER_SECOND = 30_000;
const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url));

/** `of`: what is compared. More is better, unless `isCost`. Without a floor it only explains the others. */
const ratio = (of, subject, peer, floor, aim, isCost = false) => ({ of, subject, peer, floor, aim, isCost });

export const WORKLOADS = [
	{
		name: "durable HTTP callbacks, 64 connections",
		key: "callbacks",
		kinds: ["hello", "least work", "not stored", "reelkeep", "sqlite batched", "fastify sqlite"],
		run: callbacks,
		ratios: [
			ratio("perSecond", "reelkeep", "least work"),
			ratio("perSecond", "least work", "hello"),
			ratio("perSecond", "reelkeep", "not stored", 0.95, 1.2),
			ratio("perSecond", "reelkeep", "fastify sqlite", 5, 10),
			ratio("perSecond", "reelkeep", "sqlite batched", 1, 1.5),
			ratio("perSecond", "reelkeep", "hello", 0.5, 0.8),
			ratio("p99Ms", "reelkeep", "hello", 3, 1.5, true),
		],
	},
	{
		name: "appends, 64 producers",
		key: "appends-64",
		kinds: ["reelkeep", "sqlite each", "sqlite batched"],
		run: appends(64),
		ratios: [
			ratio("perSecond", "reelkeep", "sqlite each", 12, 18),
			ratio("perSecond", "reelkeep", "sqlite batched", 1.1, 1.5),
		],
	},
	{
		name: "appends, 256 producers",
		key: "appends-256",
		kinds: ["reelkeep", "sqlite batched"],
		run: appends(256),
		ratios: [ratio("perSecond", "reelkeep", "sqlite batched", 1.4, 2)],
	},
	{
		name: "appends, one producer",
		key: "appends-1",
		kinds: ["reelkeep", "sqlite each"],
		run: appends(1),
		ratios: [ratio("perSecond", "reelkeep", "sqlite each", 0.75, 1)],
	},
	{
		name: "typed replay of the whole log",
		key: "replay",
		kinds: ["reelkeep", "sqlite", "lines parsed"],
		run: replay,
		ratios: [
			ratio("perSecond", "reelkeep", "sqlite", 1.4, 2.2),
			ratio("perSecond", "reelkeep", "lines parsed"),
			ratio("perSecond", "lines parsed", "sqlite"),
		],
	},
	{
		name: "durable reports over gRPC, 64 at once",
		key: "grpc",
		kinds: ["reelkeep", "bare"],
		run: reports,
		ratios: [ratio("perSecond", "reelkeep", "bare", 0.55, 0.9)],
	},
	{
		name: "the whole log over gRPC",
		key: "grpc-replay",
		kinds: ["reelkeep", "bare"],
		run: replays,
		ratios: [ratio("perSecond", "reelkeep", "bare", 1, 1)],
	},
];

async function callbacks(kind, { seconds, folder }) {
	const directory = mkdtempSync(join(folder, "callbacks-"));
	const server = spawn(process.execPath, [fileOf("serve.mjs"), kind, directory], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	try {
		const requests = createRequests(seconds * MOST_PER_SECOND, kind);
		const [port] = await once(createInterface({ input: server.stdout }), "line");
		return await putLoad({
			port: Number(port),
			requests,
			connections: CONNECTIONS,
			seconds,
			isRepeated: kind === "hello",
		});
	} finally {
		server.stdin.end();
		await once(server, "exit");
		rmSync(directory, { recursive: true });
	}
}

function appends(producers) {
	return async (kind, { seconds, folder }) => {
		const directory = mkdtempSync(join(folder, "appends-"));
		try {
			return await outputOf("append.mjs", kind, directory, producers, seconds);
		} finally {
			rmSync(directory, { recursive: true });
		}
	};
}

const filledIn = new Map();
async function replay(kind, { events, folder }) {
	const place = `${folder} ${kind}`;
	if (!filledIn.has(place)) {
		filledIn.set(place, mkdtempSync(join(folder, "replay-")));
		await outputOf("replay.mjs", kind, filledIn.get(place), events);
	}
	return outputOf("replay.mjs", kind, filledIn.get(place), events);
}

/** What a program prints: JSON, or nothing. */
async function outputOf(program, ...args) {
	const child = spawn(process.execPath, [fileOf(program), ...args.map(String)], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	let text = "";
	child.stdout.setEncoding("utf8").on("data", (chunk) => (text += chunk));
	const [code] = await once(child, "close");
	if (code !== 0) throw new Error(`${program} ${args[0]} ended with ${code}`);
	return text === "" ? undefined : JSON.parse(text);
}

export function makeFolder(parent = tmpdir()) {
	return mkdtempSync(join(parent, "reelkeep-bench-"));
}
