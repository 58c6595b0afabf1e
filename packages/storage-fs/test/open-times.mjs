// How long a store of many events takes to open, and what its index takes of memory: after a clean stop, after `kill -9`,
// and without index files. `pnpm open-times [EVENTS]`, 1,000,000 by default. Each opening is a process of its own.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "@reelkeep/core/container";
import { createFsEventStore } from "@reelkeep/storage-fs";

const RUNS = 5;
const [mode, directory, number] = process.argv.slice(2);
if (mode === "open") await open(directory, process.argv.includes("--close"));
else if (mode === "append") await append(directory, Number(number));
else await main(Number(mode ?? 1_000_000));

/** Opens, and closes or dies: the next opening finds a log after a clean stop, or after a kill. */
async function open(directory, isClosed) {
	globalThis.gc();
	const before = process.memoryUsage();
	const store = createFsEventStore({ directory, clock: systemClock });
	const startedAt = performance.now();
	await store.open();
	const ms = performance.now() - startedAt;
	globalThis.gc();
	const after = process.memoryUsage();
	const index = after.arrayBuffers - before.arrayBuffers + after.heapUsed - before.heapUsed;
	console.log(JSON.stringify({ ms, index, rss: after.rss }));
	if (isClosed) await store.close();
	else process.kill(process.pid, "SIGKILL");
}

/** Recordings with two events each, the second some hundred events after the first; dies without closing. */
async function append(directory, events) {
	const store = createFsEventStore({ directory, clock: systemClock });
	await store.open();
	const firstAt = Number((await last(store)) ?? 0);
	let next = firstAt;
	const data = { trackInfo: "t".repeat(64), downloadUrl: "u".repeat(150), sealedUrl: "s".repeat(180) };
	const producer = async () => {
		while (next < firstAt + events) {
			const at = next;
			next += 1;
			const recording = at % 2 === 0 ? at / 2 : Math.max(0, (at - 1) / 2 - 200);
			const stream = `recording-${createHash("sha256").update(String(recording)).digest("hex")}`;
			const type = at % 2 === 0 ? "RecordingReported" : "RecordingArchived";
			await store.append(stream, [{ id: `e-${at}`, type, schemaVersion: 1, data, metadata: {} }], "any");
		}
	};
	await Promise.all(Array.from({ length: 256 }, producer));
	if (process.argv.includes("--close")) await store.close();
	else process.kill(process.pid, "SIGKILL");
}

async function last(store) {
	for await (const { position } of store.readAll({ direction: "backward", limit: 1 })) return position;
}

async function main(events) {
	if (!Number.isSafeInteger(events) || events < 1) throw new RangeError("pnpm open-times [EVENTS]");
	const directory = mkdtempSync(join(tmpdir(), "reelkeep-open-times-"));
	const eventsDirectory = join(directory, "events");
	try {
		console.log(`making a log of ${events} events`);
		run("append", directory, String(events), "--close");
		const bytes = readdirSync(eventsDirectory).reduce(
			(sum, name) => sum + statSync(join(eventsDirectory, name)).size,
			0,
		);
		console.log(`${(bytes / 1e6).toFixed(0)} MB in ${readdirSync(eventsDirectory).length / 2} segments`);
		tell("after a clean stop", () => {}, directory);
		const { tail, restore } = killed(directory, eventsDirectory);
		tell(`after kill -9, with ${tail} events behind the index file`, restore, directory);
		tell("without index files", () => removeIndexes(eventsDirectory), directory);
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
}

/** A writer that died in the middle of a segment; its opening can be repeated. */
function killed(directory, eventsDirectory) {
	const tail = 50_000;
	const index = readdirSync(eventsDirectory)
		.filter((name) => name.endsWith(".index"))
		.sort()
		.at(-1);
	copyFileSync(join(eventsDirectory, index), join(directory, index));
	run("append", directory, String(tail));
	return { tail, restore: () => copyFileSync(join(directory, index), join(eventsDirectory, index)) };
}

function removeIndexes(eventsDirectory) {
	for (const name of readdirSync(eventsDirectory))
		if (name.endsWith(".index")) rmSync(join(eventsDirectory, name));
}

function tell(what, prepare, directory) {
	const found = Array.from({ length: RUNS }, () => {
		prepare();
		return JSON.parse(run("open", directory));
	});
	const times = found.map(({ ms }) => ms).sort((a, b) => a - b);
	const index = Math.min(...found.map(({ index }) => index));
	const [least, median, most] = [times[0], times[Math.floor(RUNS / 2)], times.at(-1)].map((ms) =>
		ms.toFixed(0),
	);
	console.log(`${what}: ${median} ms [${least}..${most}], the index takes ${(index / 1e6).toFixed(1)} MB`);
}

function run(...args) {
	const script = fileURLToPath(import.meta.url);
	const { stdout, stderr, status, signal } = spawnSync(process.execPath, ["--expose-gc", script, ...args], {
		encoding: "utf8",
		cwd: fileURLToPath(new URL(".", import.meta.url)),
	});
	if (status !== 0 && signal !== "SIGKILL") throw new Error(stderr);
	return stdout;
}
