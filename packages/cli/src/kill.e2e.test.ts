// `kill -9` under load: what was acknowledged is there after each restart, once, and every video is kept, once. The
// senders and the origin are another process than the one that is killed, so what they saw is what counts.
//
// REELKEEP_KILLS: how many (default 50).

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isPosition } from "@reelkeep/core";
import { checkpointsAhead, readCheckpoints } from "@reelkeep/harness/checkpoint-files";
import { createDraw, type Draw } from "@reelkeep/harness/hostile-random";
import {
	type KillableServe,
	ownershipTaken,
	serveCommand,
	startKillable,
	videoCommitted,
} from "@reelkeep/harness/killable-serve";
import { contradictions, createLogWitness } from "@reelkeep/harness/log-witness";
import { createReporters } from "@reelkeep/harness/reporters";
import { putSlowVideo, type SlowVideo } from "@reelkeep/harness/slow-videos";
import { temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { openFsEventReader } from "@reelkeep/storage-fs";
import { startObjectStore } from "@reelkeep/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

const KILLS = Number(process.env.REELKEEP_KILLS ?? 50);
const REPORTERS = 64;
/** One of the archiver's four downloads is left to those that are over soon. */
const SLOW_AT_ONCE = 3;
const ROUND_TIME_MS = 20_000;
/** A quick video is kept long before. */
const COMMIT_TIME_MS = 1_000;
const LOOK_MS = 500;

type Phase = "start" | "recovery" | "ready" | "load" | "archiving" | "shutdown";
/** When a round wants to kill; what it hit is counted. */
const AIMS: readonly Phase[] = [
	"load",
	"archiving",
	"shutdown",
	"recovery",
	"recovery",
	"load",
	"start",
	"archiving",
	"shutdown",
	"load",
];

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const receiver = temporaryReceiver(entry);
const { directory } = receiver;
const partials = join(directory, "videos", "partial");
const witness = createLogWitness();
const videos = new Map<string, SlowVideo>();
const kills = new Map<Phase, number>();
const running = new Set<KillableServe>();
/** Names of the partial files that kills left. */
const halfDone = new Set<string>();
/** Of those, the ones without a note: nobody can go on with them. */
const hopeless = new Set<string>();
/** Tracks that a kill left without an answer. */
const unanswered = new Set<string>();
let origin: Awaited<ReturnType<typeof startObjectStore>>;
let reader: Awaited<ReturnType<typeof openFsEventReader>> | undefined;

// A recording without a video comes to rest at the first look: its link is expired.
const reporters = createReporters({
	count: REPORTERS,
	linkOf: (track) => videos.get(track)?.link ?? { url: origin.presign(`${track}.mp4`, 1), expiresAtMs: 1 },
});

beforeAll(async () => {
	origin = await startObjectStore();
});
afterAll(async () => {
	for (const serve of running) serve.signal("SIGKILL");
	await Promise.all([...running].map(({ ended }) => ended));
	await reader?.close();
	await receiver.dispose();
	await origin.close();
});

function start(): KillableServe {
	const serve = startKillable({ command: serveCommand(entry, directory) });
	running.add(serve);
	return serve;
}

async function killOnce(round: number): Promise<void> {
	const aim = AIMS[round % AIMS.length] ?? "load";
	const draw = createDraw(1, round);
	const serve = start();
	const isEarly = aim === "start" || aim === "recovery";
	const hit = isEarly ? await killEarly(serve, aim, draw) : await killUnderLoad(serve, aim, round, draw);
	const code = await serve.ended;
	running.delete(serve);
	expect(serve.log()).toBe("");
	// Whoever stopped before the kill came was not killed.
	if (code === null) kills.set(hit, (kills.get(hit) ?? 0) + 1);
	else expect([code, aim]).toEqual([0, "shutdown"]);
	await lookAtRemains();
	// What a reader showed while nobody owned the log is durable too: no recovery may take it back.
	if (round % 7 !== 0) return;
	witness.absorb(await newLines());
	expect(witness.problems).toEqual([]); // The very last batch may not be shown yet.
}

async function killEarly(serve: KillableServe, aim: Phase, draw: Draw): Promise<Phase> {
	const taken = ownershipTaken(directory, ROUND_TIME_MS);
	let isTaken = false;
	void taken.came.then((came) => {
		isTaken = came;
	});
	if (aim === "recovery") await taken.came;
	await pause(aim === "recovery" ? draw.int(8) : 10 + draw.int(300));
	const phase = serve.isReady() ? "ready" : isTaken ? "recovery" : "start";
	serve.signal("SIGKILL");
	taken.cancel();
	return phase;
}

async function killUnderLoad(serve: KillableServe, aim: Phase, round: number, draw: Draw): Promise<Phase> {
	const address = await serve.ready;
	if (address === undefined) throw new Error(`the receiver does not start any more: ${serve.log()}`);
	await checkLog({ isWhole: round % 10 === 9 });
	const fresh = await newVideos(round, draw);
	const reporting = reporters.report(address, tracksOf(round, fresh));
	let hit: Phase = "load";
	if (aim === "archiving") {
		if (await videoCommitted(directory, COMMIT_TIME_MS).came) hit = aim;
	} else await pause(10 + draw.int(450));
	if (aim === "shutdown") {
		hit = aim;
		serve.signal("SIGTERM");
		await pause(draw.int(12));
	}
	serve.signal("SIGKILL");
	reporting.stop();
	await reporting.finished;
	for (const track of reporters.unanswered()) unanswered.add(track);
	return hit;
}

/** What was not acknowledged comes first; then videos, each from two at once; then what is known; then news without end. */
function* tracksOf(round: number, fresh: readonly string[]): Generator<string> {
	for (const [index, track] of reporters.unanswered().entries()) {
		yield* Array<string>(index % 4 === 0 ? 3 : 1).fill(track);
	}
	for (const track of fresh) yield* [track, track];
	yield* [...reporters.acknowledged].slice(-5);
	for (let serial = 1; ; serial += 1) {
		yield* Array<string>(serial % 8 === 0 ? 3 : 1).fill(`round-${round}-${serial}`);
	}
}

/** Two that are over soon, and as many slow ones as are missing. */
async function newVideos(round: number, draw: Draw): Promise<readonly string[]> {
	const slow = [...videos.keys()].filter((track) => track.startsWith("slow") && !isAtRest(track)).length;
	const wanted = [
		...["quick-a", "quick-b"].map((name) => ({ name, extraBytes: draw.int(100_000), slowTimes: 0 })),
		...["slow-a", "slow-b", "slow-c"].slice(slow, SLOW_AT_ONCE).map((name) => ({
			name,
			extraBytes: 300_000 + draw.int(300_000),
			slowTimes: 1 + draw.int(3),
		})),
	].map((video) => ({ ...video, track: `${video.name}-${round}` }));
	for (const { track, ...video } of wanted) {
		videos.set(track, await putSlowVideo(origin, { ...video, name: `${track}.mp4` }));
	}
	return wanted.map(({ track }) => track);
}

function isAtRest(track: string): boolean {
	return witness.outcomes(witness.streams.get(track) ?? "").length > 0;
}

/** The log as it is now has all that was acknowledged, once, and nothing that was not sent. */
async function checkLog({ isWhole }: { readonly isWhole: boolean }): Promise<void> {
	if (isWhole) witness.absorbWhole(await printedLines());
	else witness.absorb(await newLines());
	expect([...witness.problems, ...contradictions(witness, reporters)]).toEqual([]);
}

async function printedLines(): Promise<readonly string[]> {
	const { code, stdout, stderr } = await receiver.run("events");
	expect([code, stderr]).toEqual([0, ""]);
	return stdout.split("\n").slice(0, -1);
}

/** What `reelkeep events --after` would print: by one reader that outlives every owner, and starts no process. */
async function newLines(): Promise<readonly string[]> {
	reader ??= await openFsEventReader({ directory });
	const after = witness.lastPosition();
	const lines: string[] = [];
	for await (const event of reader.readAll(isPosition(after) ? { after } : {})) {
		const { id, type, schemaVersion, stream, version, position, recordedAt, data, metadata } = event;
		const members = { id, type, schemaVersion, stream, version, position, recordedAt, data, metadata };
		lines.push(JSON.stringify(members));
	}
	return lines;
}

/** What the dead process left: half-done downloads, and no checkpoint that is ahead of the log. */
async function lookAtRemains(): Promise<void> {
	const names = readdirSync(partials);
	for (const name of names) {
		const { size, nlink } = statSync(join(partials, name));
		// With its final name too it is whole, and only the log does not know yet.
		if (size > 0 && nlink === 1) halfDone.add(name);
		if (!names.includes(name.replace(/part$/, "note"))) hopeless.add(name);
	}
	if (readCheckpoints(directory).length === 0) return;
	const last = (await receiver.events()).at(-1)?.position;
	expect(checkpointsAhead(directory, last)).toEqual([]);
}

/** Without any more disturbance everything is sent, stored and comes to rest. */
async function drain(): Promise<void> {
	const serve = start();
	const address = await serve.ready;
	if (address === undefined) throw new Error(`the receiver does not start any more: ${serve.log()}`);
	const left = new Set(readdirSync(partials));
	expect([...hopeless].filter((name) => left.has(name))).toEqual([]);
	await checkLog({ isWhole: false });
	await reporters.report(address, reporters.unanswered()).finished;
	expect(reporters.unanswered()).toEqual([]);
	await comeToRest();
	serve.signal("SIGTERM");
	expect([await serve.ended, serve.log()]).toEqual([0, ""]);
	running.delete(serve);
	await checkLog({ isWhole: true });
	await lookAtRemains();
}

/** Waits as long as it goes on. */
async function comeToRest(): Promise<void> {
	let left = Number.POSITIVE_INFINITY;
	for (let giveUpAt = Date.now() + ROUND_TIME_MS; left > 0 && Date.now() < giveUpAt; await pause(LOOK_MS)) {
		await checkLog({ isWhole: false });
		const stillLeft = [...reporters.sent].filter((track) => !isAtRest(track)).length;
		if (stillLeft < left) giveUpAt = Date.now() + ROUND_TIME_MS;
		left = stillLeft;
	}
}

/** One outcome for each recording, and the origin's bytes under the name that the log says. */
function checkOutcomes(): void {
	const wrong = [...reporters.sent].flatMap((track) => {
		const wanted = videos.has(track) ? "RecordingArchived" : "LinkExpired";
		const types = witness.outcomes(witness.streams.get(track) ?? "").map(({ type }) => type);
		return types.join() === wanted ? [] : [`${track}: ${types}`];
	});
	expect(wrong, "recordings with another outcome than one").toEqual([]);
	const kept = new Set<string>();
	for (const [track, { bytes, sha256 }] of videos) {
		if (!reporters.sent.has(track)) continue;
		const { receipt } = outcomeOf(track);
		expect(receipt).toMatchObject({ bytes, sha256 });
		const file = readFileSync(join(directory, String(receipt.location)));
		expect(createHash("sha256").update(file).digest("hex")).toBe(sha256);
		kept.add(String(receipt.location));
	}
	const files = readdirSync(join(directory, "videos"), { recursive: true, withFileTypes: true });
	const locations = files
		.filter((file) => file.isFile())
		.map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1));
	expect(locations.sort()).toEqual([...kept].sort());
}

function outcomeOf(track: string): {
	readonly adopted: boolean;
	readonly receipt: Record<string, unknown>;
} {
	const [event] = witness.outcomes(witness.streams.get(track) ?? "");
	return event?.data as ReturnType<typeof outcomeOf>;
}

test(`loses nothing acknowledged, doubles nothing and keeps every video in ${KILLS} times kill -9`, {
	timeout: 60_000 + KILLS * 5_000,
}, async () => {
	const count = (): number => [...kills.values()].reduce((sum, each) => sum + each, 0);
	for (let round = 0; count() < KILLS; round += 1) {
		expect(round, "rounds in which the kill came too late are too many").toBeLessThan(KILLS * 2 + 10);
		await killOnce(round);
	}
	await drain();
	checkOutcomes();

	const reported = [...videos.keys()].filter((track) => reporters.sent.has(track));
	const interrupted = new Set([...halfDone].map((name) => name.split(".")[0])).size;
	const restarted = reported.filter((track) => origin.requests(`${track}.mp4`) > 1).length;
	const adopted = reported.filter((track) => outcomeOf(track).adopted).length;
	console.log(
		[
			`${count()} kills (${[...kills].map(([phase, times]) => `${phase} ${times}`).join(", ")})`,
			`${reporters.acknowledged.size} acknowledged`,
			`${unanswered.size} unanswered at first, and sent again`,
			`${reporters.duplicates()} duplicate reports`,
			`${interrupted} downloads interrupted (${restarted} asked for again, ${adopted} adopted)`,
			`${reported.length} archived`,
			`refused: ${JSON.stringify([...reporters.refusals])}`,
		].join("; "),
	);
	// It was as hard as it claims.
	if (KILLS >= AIMS.length * 2) expect(AIMS.filter((phase) => !kills.has(phase))).toEqual([]);
	expect([...reporters.refusals.keys()].filter((word) => word.startsWith("malformed"))).toEqual([]);
	expect(unanswered.size).toBeGreaterThan(0);
	expect(reporters.duplicates()).toBeGreaterThan(0);
	expect(interrupted, "downloads that a kill found half done").toBeGreaterThan(0);
	expect(restarted).toBeGreaterThanOrEqual(interrupted);
});
