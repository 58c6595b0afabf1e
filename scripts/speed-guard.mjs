// Whether the hot ways cost what they did: `pnpm speed [--plant NAME]`. Processor time of this process, as a ratio to work that nobody can leave out,
// in turns, the least of each: what disturbs only adds. `--plant` makes one way slower, and must fail (docs/performance.md).

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { APP, createRequests, leastWork } from "../bench/src/callbacks.mjs";
import { createTopHandler, createTopVerifier } from "../packages/adapter-http/dist/index.js";
import {
	createReelkeep,
	randomIds,
	silentLogger,
	systemClock,
} from "../packages/core/dist/container/index.js";
import { decodeEvent } from "../packages/core/dist/index.js";
import { EVENT_STORE, KEYRING, RECEIVE } from "../packages/core/dist/ports/index.js";
import { fsStorage } from "../packages/storage-fs/dist/index.js";

const ROUNDS = 7;
const CALLBACKS = 3_000;
const IN_FLIGHT = 64;
/** The most that is let through: well above what was measured on a noisy machine when it was last made faster. */
const MOST = { callbacks: 3.9, replay: 2.5 };

const { values } = parseArgs({ options: { plant: { type: "string" } } });
if (values.plant !== undefined && !(values.plant in MOST)) {
	console.error(
		`nothing called ${values.plant} can be planted; there are ${Object.keys(MOST).join(" and ")}`,
	);
	process.exit(2);
}

const directory = mkdtempSync(join(tmpdir(), "reelkeep-speed-"));
const reelkeep = compose();
await reelkeep.start();
const handle = createTopHandler({
	receive: reelkeep.get(RECEIVE),
	verifier: createTopVerifier({ apps: { [APP.appKey]: APP.secret }, clock: systemClock }),
	ids: randomIds,
	clock: systemClock,
	logger: silentLogger,
});
/** Of one callback or event, in microseconds: what it takes, and what nobody can leave out of it. */
const costs = { callbacks: { own: [], least: [] }, replay: { own: [], least: [] } };
try {
	// The first round warms up.
	for (let round = 0; round <= ROUNDS; round += 1) {
		const requests = createRequests(CALLBACKS, `round-${round}`).map(toTopRequest);
		const events = CALLBACKS * (round + 1);
		const found = {
			callbacks: {
				least: (await costOf(() => workAll(requests))) / CALLBACKS,
				own: (await costOf(() => receiveAll(requests))) / CALLBACKS,
			},
			replay: { least: (await costOf(parseLines)) / events, own: (await costOf(replayAll)) / events },
		};
		if (round === 0) continue;
		for (const [way, { own, least }] of Object.entries(found)) {
			costs[way].own.push(own);
			costs[way].least.push(least);
		}
	}
} finally {
	await reelkeep.stop();
	rmSync(directory, { recursive: true, force: true });
}
for (const [name, { own, least }] of Object.entries(costs)) {
	const [cost, floor] = [Math.min(...own), Math.min(...least)];
	const ratio = cost / floor;
	const isSlow = ratio > MOST[name];
	const figures = `${ratio.toFixed(2)} of the least work (${cost.toFixed(1)} of ${floor.toFixed(1)} µs); at most ${MOST[name]}`;
	console.log(`${name}: ${figures}${isSlow ? ": SLOWER" : ""}`);
	if (isSlow) process.exitCode = 1;
}

function compose() {
	const storage = fsStorage({ directory });
	const register = (registry) =>
		storage.register({
			provide: (token, factory) => registry.provide(token, (get) => slower(token, factory(get))),
		});
	return createReelkeep({ plugins: [{ ...storage, register }], logger: silentLogger });
}

/** A planted regression: a link sealed sixteen times, or each event copied three times when it is read. */
function slower(token, port) {
	if (token === KEYRING && values.plant === "callbacks") {
		const seal = async (text, context) => {
			for (let time = 1; time < 16; time += 1) await port.seal(text, context);
			return port.seal(text, context);
		};
		return { seal, open: port.open };
	}
	if (token === EVENT_STORE && values.plant === "replay") {
		const readAll = async function* (options) {
			for await (const event of port.readAll(options)) {
				yield structuredClone(structuredClone(structuredClone(event)));
			}
		};
		return { ...port, readAll };
	}
	return port;
}

/** Microseconds of processor time. */
async function costOf(work) {
	const start = process.cpuUsage();
	await work();
	const { user, system } = process.cpuUsage(start);
	return user + system;
}

function toTopRequest(raw) {
	const text = Buffer.from(raw).toString("latin1");
	const end = text.indexOf("\r\n\r\n");
	const [line, ...fields] = text.slice(0, end).split("\r\n");
	const [method, target] = line.split(" ");
	const headers = new Map(
		fields.map((field) => [
			field.slice(0, field.indexOf(":")).toLowerCase(),
			field.slice(field.indexOf(":") + 1).trim(),
		]),
	);
	return { method, target, headers, body: Buffer.from(text.slice(end + 4), "latin1") };
}

function workAll(requests) {
	for (const { body } of requests) leastWork(body.toString());
}

async function receiveAll(requests) {
	let next = 0;
	const sendOn = async () => {
		while (next < requests.length) {
			const request = requests[next];
			next += 1;
			const { body } = await handle(request);
			if (!String(body).includes('"consume_state":1')) throw new Error(`not received: ${body}`);
		}
	};
	await Promise.all(Array.from({ length: IN_FLIGHT }, sendOn));
}

function parseLines() {
	const folder = join(directory, "events");
	for (const name of readdirSync(folder).filter((file) => file.endsWith(".ndjson"))) {
		const lines = readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
		for (const line of lines) JSON.parse(line);
	}
}

async function replayAll() {
	for await (const event of reelkeep.store.readAll()) {
		if (decodeEvent(event) === undefined) throw new Error("an event that cannot be decoded");
	}
}
