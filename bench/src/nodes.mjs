// Durable callbacks of one node and of two, on one PostgreSQL. Each node has a part of a processor, so that it is the nodes that are
// the limit, as where they stand on machines of their own, and not the server or the load.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createRequests } from "./callbacks.mjs";
import { putLoad } from "./load.mjs";
import { startPostgres } from "./postgres.mjs";
import { limitProcessor } from "./processor-share.mjs";
import { startServer } from "./server-process.mjs";

export const NODE_SHARE = 0.25;
const COUNTS = { "one node": 1, "two nodes": 2 };
/** Of each node. */
const CONNECTIONS = 64;
/** Without the limit: compiling takes longer than what is measured. */
const WARM_UP_SECONDS = 5;
/** Than other workloads: so slow a node answers little in a second. */
const LONGER = 2;
const MOST_PER_SECOND = 6_000;

export async function nodes(kind, { seconds, folder }) {
	const directory = mkdtempSync(join(folder, "nodes-"));
	const server = await startPostgres();
	const all = [];
	try {
		for (let index = 0; index < COUNTS[kind]; index += 1)
			all.push(await startNode(directory, server.socketString));
		const requestsOf = (phase, given) =>
			all.map((_, index) => createRequests(given * MOST_PER_SECOND, `${kind}-${phase}-${index}`));
		// Before any load: making them holds up who puts it.
		const [warmUp, measured] = [
			requestsOf("warm-up", WARM_UP_SECONDS),
			requestsOf("measured", seconds * LONGER),
		];
		const load = (index, requests, given) =>
			putLoad({ port: all[index].port, requests: requests[index], connections: CONNECTIONS, seconds: given });
		// One by one, so that each has the machine to itself.
		for (const index of all.keys()) await load(index, warmUp, WARM_UP_SECONDS);
		for (const node of all) node.limit();
		const figures = await Promise.all(all.map((_, index) => load(index, measured, seconds * LONGER)));
		return {
			perSecond: figures.reduce((sum, { perSecond }) => sum + perSecond, 0),
			p99Ms: Math.max(...figures.map(({ p99Ms }) => p99Ms)),
		};
	} finally {
		for (const { stop } of all) await stop();
		await server.stop();
		rmSync(directory, { recursive: true });
	}
}

async function startNode(directory, connectionString) {
	const server = await startServer("serve.mjs", ["on postgres", directory, connectionString]);
	let unlimit = () => undefined;
	return {
		port: Number(server.line),
		limit() {
			unlimit = limitProcessor(server.pid, NODE_SHARE);
		},
		async stop() {
			await server.stop();
			unlimit();
		},
	};
}
