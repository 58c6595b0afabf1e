// `kill -9` of a Reelkeep that has subscriptions, which `reelkeep serve` has not: no checkpoint is ever ahead of what was
// handled, and nothing is skipped. What was handled is written to a journal beside the data directory.
//
// REELKEEP_KILLS: how many, four times over (default 50, so 13).

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { checkpointsAhead, readCheckpoints } from "@reelkeep/harness/checkpoint-files";
import { createDraw } from "@reelkeep/harness/hostile-random";
import { type KillableServe, startKillable } from "@reelkeep/harness/killable-serve";
import { contradictions, createLogWitness } from "@reelkeep/harness/log-witness";
import { createReporters } from "@reelkeep/harness/reporters";
import { temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { afterAll, expect, test } from "vitest";

const KILLS = Math.ceil(Number(process.env.REELKEEP_KILLS ?? 50) / 4);
const REPORTERS = 64;
const NAMES = ["fast", "slow"] as const;
/** A few events. */
const SEGMENT_BYTES = 8 * 1024;

// Its log has small segments, so that kills hit the change from one to the next. The slow subscription is behind when the
// kill comes; the fast one saves its checkpoint again and again.
const SUBSCRIBER = `
	import { appendFileSync } from "node:fs";
	import { setTimeout as pause } from "node:timers/promises";
	import { httpIngress } from "@reelkeep/adapter-http";
	import { createReelkeep, systemClock } from "@reelkeep/core/container";
	import { CHECKPOINT_STORE, EVENT_STORE, KEYRING } from "@reelkeep/core/ports";
	import { createFileKeyring, createFsCheckpointStore, createFsEventStore, KEY_FILE_NAME } from "@reelkeep/storage-fs";

	const [directory, run] = process.argv.slice(1);
	const [key, secret] = process.env.REELKEEP_APPS.split("=");
	const quiet = () => {};
	const error = (details, message) => console.error(message, details);
	const logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error };

	const events = createFsEventStore({ directory, clock: systemClock, logger, segmentBytes: ${SEGMENT_BYTES} });
	const checkpoints = createFsCheckpointStore({ directory });
	const keyring = createFileKeyring({ file: directory + "/" + KEY_FILE_NAME });
	const storage = {
		name: "small-segments",
		provides: [EVENT_STORE, CHECKPOINT_STORE, KEYRING],
		needs: [],
		register(registry) {
			registry.provide(EVENT_STORE, () => events);
			registry.provide(CHECKPOINT_STORE, () => checkpoints);
			registry.provide(KEYRING, () => keyring);
		},
		async start() {
			await events.open();
			await keyring.load({ createIfMissing: true });
			await checkpoints.open();
		},
		async stop() {
			await checkpoints.close();
			await events.close();
		},
	};
	const http = httpIngress({ host: "127.0.0.1", port: 0, apps: { [key]: secret } });
	const reelkeep = createReelkeep({ plugins: [storage, http], logger });
	process.once("SIGTERM", () => reelkeep.stop());
	await reelkeep.start();
	for (const name of ${JSON.stringify(NAMES)}) {
		reelkeep.subscribe(name, async ({ position }) => {
			if (name === "slow") await pause(2);
			appendFileSync(directory + "." + name, run + " " + position + "\\n");
		});
	}
	console.log("reelkeep: ready http=" + http.address());
`;

const receiver = temporaryReceiver(fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url)));
const { directory } = receiver;
const witness = createLogWitness();
const running = new Set<KillableServe>();
const link = { url: "http://127.0.0.1:9/never-fetched.mp4?Signature=x", expiresAtMs: Date.now() + 3_600_000 };
const reporters = createReporters({ count: REPORTERS, linkOf: () => link });
/** Where each checkpoint was when a run began. */
let began = new Map<string, bigint>();

afterAll(async () => {
	for (const { signal } of running) signal("SIGKILL");
	await Promise.all([...running].map(({ ended }) => ended));
	await receiver.dispose();
});

async function start(run: number): Promise<{ readonly process: KillableServe; readonly address: string }> {
	const command = ["--input-type=module", "-e", SUBSCRIBER, directory, String(run)];
	const process = startKillable({ command, folder: fileURLToPath(new URL("..", import.meta.url)) });
	running.add(process);
	const address = await process.ready;
	if (address === undefined) throw new Error(`the receiver does not start any more: ${process.log()}`);
	await checkLog();
	return { process, address };
}

/** Beside a running owner: without one, the last batch of a killed process is not shown. */
async function checkLog(): Promise<void> {
	const { stdout } = await receiver.run("events");
	witness.absorbWhole(stdout.split("\n").slice(0, -1));
	expect([...witness.problems, ...contradictions(witness, reporters)]).toEqual([]);
}

async function killOnce(run: number): Promise<boolean> {
	const draw = createDraw(2, run);
	const { process, address } = await start(run);
	const reporting = reporters.report(address, tracksOf(run));
	await pause(draw.int(400));
	if (draw.once(3)) {
		// Its stop saves the checkpoints.
		process.signal("SIGTERM");
		await pause(draw.int(10));
	}
	process.signal("SIGKILL");
	reporting.stop();
	await reporting.finished;
	const code = await process.ended;
	running.delete(process);
	expect([process.log(), code ?? 0]).toEqual(["", 0]);
	await checkCheckpoints(run);
	return code === null;
}

function* tracksOf(run: number): Generator<string> {
	yield* reporters.unanswered();
	for (let serial = 1; ; serial += 1) yield `run-${run}-${serial}`;
}

/** Nothing is ahead of the log or of what was handled, and this run left nothing out on its way. */
async function checkCheckpoints(run: number): Promise<void> {
	const { damages, position } = JSON.parse((await receiver.run("verify", "--json")).stdout);
	expect(damages).toEqual([]);
	expect(checkpointsAhead(directory, String(position))).toEqual([]);
	const saved = new Map(readCheckpoints(directory).map(({ name, position }) => [name, BigInt(position)]));
	for (const name of NAMES) {
		const handled = journal(name);
		const mine = handled.filter((entry) => entry.run === run).map(({ position }) => position);
		const from = began.get(name) ?? 0n;
		expect(mine, `${name} in run ${run}`).toEqual(mine.map((_, index) => from + BigInt(index) + 1n));
		const known = new Set(handled.map(({ position }) => position));
		expect(missing(known, saved.get(name) ?? 0n), `${name} passed over what it did not handle`).toEqual([]);
	}
	began = saved;
}

/** Positions up to `to` that are not in `known`. The log has no gaps. */
function missing(known: ReadonlySet<bigint>, to: bigint): readonly bigint[] {
	return Array.from({ length: Number(to) }, (_, index) => BigInt(index) + 1n).filter(
		(position) => !known.has(position),
	);
}

function journal(name: string): readonly { readonly run: number; readonly position: bigint }[] {
	const file = `${directory}.${name}`;
	if (!existsSync(file)) return [];
	return readFileSync(file, "utf8")
		.split("\n")
		.slice(0, -1)
		.map((line) => line.split(" "))
		.map(([run, position = ""]) => ({ run: Number(run), position: BigInt(position) }));
}

test(`no checkpoint is ahead and no subscriber misses an event in ${KILLS} times kill -9`, {
	timeout: 60_000 + KILLS * 5_000,
}, async () => {
	let kills = 0;
	let run = 0;
	for (; kills < KILLS; run += 1) {
		expect(run, "rounds in which the kill came too late are too many").toBeLessThan(KILLS * 3);
		if (await killOnce(run)) kills += 1;
	}
	const { process, address } = await start(run);
	await reporters.report(address, reporters.unanswered()).finished;
	const last = (await receiver.events()).at(-1)?.position ?? "0";
	const isDone = (): boolean => NAMES.every((name) => missing(handledBy(name), BigInt(last)).length === 0);
	await expect.poll(isDone, { timeout: 20_000 }).toBe(true);
	process.signal("SIGTERM");
	expect([await process.ended, process.log()]).toEqual([0, ""]);
	running.delete(process);
	await checkCheckpoints(run);
	expect([...began].sort()).toEqual(NAMES.map((name) => [name, BigInt(last)]));

	const again = NAMES.map((name) => `${name} ${journal(name).length - handledBy(name).size}`);
	const segments = readdirSync(join(directory, "events")).filter((name) => name.endsWith(".ndjson")).length;
	console.log(
		`${kills} kills; ${last} events in ${segments} segments; handled again after a kill: ${again.join(", ")}`,
	);
	expect(segments).toBeGreaterThan(1);
	expect(journal("slow").length).toBeGreaterThan(handledBy("slow").size);
});

function handledBy(name: string): ReadonlySet<bigint> {
	return new Set(journal(name).map(({ position }) => position));
}
