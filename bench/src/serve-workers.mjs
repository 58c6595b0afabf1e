// Reelkeep with its ingress in processes of their own, and one writer: `node serve-workers.mjs WORKERS DIRECTORY` prints its port, and ends
// with its standard input. A trial, not the product (ADR 0039): workers prove and read requests, and hand reports over in groups,
// those of one turn of the event loop together.

import cluster from "node:cluster";
import { createServer } from "node:http";
import { createNodeHandler, createTopVerifier } from "@reelkeep/adapter-http";
import { createReelkeep, randomIds, silentLogger, systemClock } from "@reelkeep/core/container";
import { fsStorage } from "@reelkeep/storage-fs";
import { APP } from "./callbacks.mjs";

const HOST = "127.0.0.1";
if (cluster.isPrimary) await runWriter(Number(process.argv[2]), process.argv[3]);
else runWorker();

async function runWriter(workers, directory) {
	const reelkeep = createReelkeep({ plugins: [fsStorage({ directory })], logger: silentLogger });
	await reelkeep.start();
	cluster.setupPrimary({ serialization: "advanced" });
	const ports = [];
	for (let index = 0; index < workers; index += 1) {
		const worker = cluster.fork();
		const answer = group((outcomes) => worker.send(outcomes));
		worker.on("message", async (reports) => {
			for (const [id, report] of reports) {
				void reelkeep.receive(report).then((outcome) => answer([id, outcome]));
			}
		});
		ports.push(new Promise((resolve) => worker.once("listening", ({ port }) => resolve(port))));
	}
	const [port] = await Promise.all(ports);
	console.log(port);
	process.stdin.on("end", async () => {
		for (const worker of Object.values(cluster.workers)) worker.process.kill();
		await reelkeep.stop();
		process.exit(0);
	});
	process.stdin.resume();
}

function runWorker() {
	const waiting = new Map();
	let last = 0;
	const hand = group((reports) => process.send(reports));
	process.on("message", (outcomes) => {
		for (const [id, outcome] of outcomes) {
			waiting.get(id)(outcome);
			waiting.delete(id);
		}
	});
	const receive = (report) =>
		new Promise((resolve) => {
			last += 1;
			waiting.set(last, resolve);
			hand([last, report]);
		});
	const verifier = createTopVerifier({ apps: { [APP.appKey]: APP.secret }, clock: systemClock });
	const handler = createNodeHandler({
		receive,
		verifier,
		ids: randomIds,
		clock: systemClock,
		logger: silentLogger,
	});
	createServer(handler).listen(0, HOST);
}

/** Hands over together what comes in one turn of the event loop. */
function group(send) {
	let items = [];
	return (item) => {
		items.push(item);
		if (items.length > 1) return;
		setImmediate(() => {
			const all = items;
			items = [];
			send(all);
		});
	};
}
