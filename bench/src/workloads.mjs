// What is measured: each workload, who does it, and which ratios it must keep (issue 8: floor and aim).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRequests } from "./callbacks.mjs";
import { replays, reports } from "./grpc.mjs";
import { putLoad } from "./load.mjs";
import { NODE_SHARE, nodes } from "./nodes.mjs";
import { postgresVersion } from "./postgres.mjs";
import { canLimitProcessor } from "./processor-share.mjs";
import { startServer } from "./server-process.mjs";

const CONNECTIONS = 64;
/** No server that looks at them answers as many a second. */
const MOST_PER_SECOND = 30_000;
/** Of the log that is opened. */
const OPENED_EVENTS = 1_000_000;
/** Of the index whose memory is looked at. */
const INDEXED_STREAMS = 4_000_000;
const hasPostgres = postgresVersion() !== undefined;
const fileOf = (name) => (isAbsolute(name) ? name : fileURLToPath(new URL(name, import.meta.url)));

/** `of`: what is compared, with `peer` or, where there is none, with a limit of its own. More is better, unless `isCost`. Without a floor it only explains the others. */
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
			ratio("perSecond", "least work", "sqlite batched"),
			ratio("perSecond", "least work", "fastify sqlite"),
			ratio("perSecond", "reelkeep", "hello", 0.5, 0.8),
			ratio("p99Ms", "reelkeep", "hello", 3, 1.5, true),
		],
	},
	{
		name: "durable HTTP callbacks, ingress in processes of its own",
		key: "workers",
		kinds: ["reelkeep", "one worker", "two workers"],
		run: callbacks,
		ratios: [
			ratio("perSecond", "one worker", "reelkeep"),
			ratio("perSecond", "two workers", "reelkeep"),
			ratio("p99Ms", "two workers", "reelkeep", undefined, undefined, true),
		],
	},
	{
		name: "appends, 64 producers",
		key: "appends-64",
		kinds: ["reelkeep", "sqlite each", "sqlite batched", ...(hasPostgres ? ["postgres"] : [])],
		run: appends(64),
		ratios: [
			ratio("perSecond", "reelkeep", "sqlite each", 12, 18),
			ratio("perSecond", "reelkeep", "sqlite batched", 1.1, 1.5),
			...(hasPostgres ? [ratio("perSecond", "reelkeep", "postgres", 8, 12)] : []),
		],
	},
	{
		name: "appends, 256 producers",
		key: "appends-256",
		kinds: ["reelkeep", "sqlite batched"],
		run: appends(256),
		ratios: [ratio("perSecond", "reelkeep", "sqlite batched", 1.4, 2)],
	},
	...(hasPostgres
		? [
				{
					name: "appends to PostgreSQL, 64 producers",
					key: "appends-postgres",
					kinds: ["storage-postgres", "postgres"],
					run: appends(64),
					ratios: [ratio("perSecond", "storage-postgres", "postgres", 2)],
				},
				{
					name: "from a commit in PostgreSQL to who follows the log elsewhere",
					key: "reaction-postgres",
					kinds: ["hints", "polling"],
					run: (kind, { seconds }) => outputOf("reaction.mjs", kind, seconds),
					ratios: [ratio("p50Ms", "hints", "polling", undefined, undefined, true)],
				},
			]
		: []),
	...(hasPostgres && canLimitProcessor()
		? [
				{
					name: `durable HTTP callbacks on one PostgreSQL, ${100 * NODE_SHARE} % of a processor for each node`,
					key: "nodes",
					kinds: ["one node", "two nodes"],
					run: nodes,
					ratios: [ratio("perSecond", "two nodes", "one node", 1.7, 1.9)],
				},
			]
		: []),
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
		name: `opening a log of ${OPENED_EVENTS} events`,
		key: "open",
		kinds: ["after a clean stop", "after a kill", "full rescan"],
		run: opening,
		ratios: [
			ratio("ms", "after a clean stop", "full rescan", 1 / 10, 1 / 25, true),
			ratio("ms", "after a kill", "full rescan"),
		],
	},
	{
		name: `the index of ${INDEXED_STREAMS} streams`,
		key: "index",
		kinds: ["reelkeep", "map"],
		run: (kind) => outputOf("index-memory.mjs", kind, INDEXED_STREAMS),
		ratios: [
			ratio("bytesEach", "reelkeep", "map", 0.4, 0.25, true),
			ratio("pauseMs", "reelkeep", undefined, 30, undefined, true),
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
		// grpc-js with bytes that are ready does several times as many, and so is no floor.
		ratios: [ratio("perSecond", "reelkeep", undefined, 100_000), ratio("perSecond", "reelkeep", "bare")],
	},
];

const WORKERS = { "one worker": 1, "two workers": 2 };
async function callbacks(kind, { seconds, folder }) {
	const directory = mkdtempSync(join(folder, "callbacks-"));
	const workers = WORKERS[kind];
	const program = workers === undefined ? ["serve.mjs", kind] : ["serve-workers.mjs", workers];
	const server = await startServer(program[0], [program[1], directory]);
	try {
		const requests = createRequests(seconds * MOST_PER_SECOND, kind);
		return await putLoad({
			port: Number(server.line),
			requests,
			connections: CONNECTIONS,
			seconds,
			isRepeated: kind === "hello",
		});
	} finally {
		await server.stop();
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

const OPENINGS = fileURLToPath(new URL("../../packages/storage-fs/test/open-times.mjs", import.meta.url));
let opened;
/** Whoever opened before has closed the log, or was killed; or the index files are taken away. */
async function opening(kind, { folder }) {
	if (opened === undefined) {
		opened = mkdtempSync(join(folder, "open-"));
		await outputOf(OPENINGS, "append", opened, OPENED_EVENTS, "--close");
	}
	const end = kind === "after a clean stop" ? ["--close"] : [];
	const open = () => outputOf(OPENINGS, "open", opened, ...end);
	await open();
	const events = join(opened, "events");
	if (kind === "full rescan")
		for (const name of readdirSync(events)) if (name.endsWith(".index")) rmSync(join(events, name));
	const { ms } = await open();
	return { ms };
}

/** What a program prints: JSON, or nothing. */
async function outputOf(program, ...args) {
	const child = spawn(process.execPath, ["--expose-gc", fileOf(program), ...args.map(String)], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	let text = "";
	child.stdout.setEncoding("utf8").on("data", (chunk) => (text += chunk));
	const [code, signal] = await once(child, "close");
	if (code !== 0 && signal !== "SIGKILL") throw new Error(`${program} ${args[0]} ended with ${code}`);
	return text === "" ? undefined : JSON.parse(text);
}

export function makeFolder(parent = tmpdir()) {
	return mkdtempSync(join(parent, "reelkeep-bench-"));
}
