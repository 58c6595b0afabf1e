// Real processes, running what `tsc -b` built.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { openFsEventReader } from "./event-reader.js";
import { temporaryDirectory } from "./test-disk.js";
import { idsOf } from "./test-store.js";

const BUILT = new URL("../dist/index.js", import.meta.url).href;

// Opens the store, says so, and appends until it is killed; each acknowledgement is a line.
const WRITER = `
	import { createFsEventStore } from ${JSON.stringify(BUILT)};
	const store = createFsEventStore({ directory: process.argv[1], clock: { now: () => Date.now() } });
	try {
		await store.open();
	} catch (error) {
		console.log(error.reason, process.pid, error.message);
		process.exit(3);
	}
	console.log("open", process.pid);
	const run = process.argv[2];
	setInterval(() => {}, 1000);
	for (let turn = 0; run !== undefined; turn += 1) {
		await Promise.all(Array.from({ length: 8 }, async (_, lane) => {
			const id = [run, turn, lane].join("-");
			const event = { id, type: "Noted", schemaVersion: 1, data: {}, metadata: {} };
			const result = await store.append("s-" + id, [event], "no-stream");
			if (result._tag === "Appended") console.log("stored", id);
		}));
	}
`;

interface Writer {
	readonly child: ChildProcessWithoutNullStreams;
	/** The lines so far. */
	readonly lines: readonly string[];
	readonly first: Promise<string>;
}

function startWriter(directory: string, run?: string): Writer {
	const child = spawn(process.execPath, [
		"--input-type=module",
		"-e",
		WRITER,
		directory,
		...(run ? [run] : []),
	]);
	onTestFinished(() => void child.kill("SIGKILL"));
	const lines: string[] = [];
	const output = createInterface({ input: child.stdout });
	const first = once(output, "line").then(([line]) => line as string);
	output.on("line", (line) => lines.push(line));
	let errors = "";
	child.stderr.on("data", (chunk) => {
		errors += chunk;
	});
	child.on("exit", (code) => {
		if (lines.length === 0) lines.push(`exit ${code}: ${errors}`);
	});
	return { child, lines, first };
}

async function kill({ child }: Writer): Promise<void> {
	child.kill("SIGKILL");
	if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

test("a second process is refused and told who owns the directory", async () => {
	const directory = await temporaryDirectory();
	const owner = startWriter(directory);
	expect(await owner.first).toBe(`open ${owner.child.pid}`);
	const second = await startWriter(directory).first;
	expect(second).toMatch(/^owned /);
	expect(second).toContain(`process ${owner.child.pid} on host`);
	expect(second).toContain(directory);
});

test("of eight processes that start at once after a crash exactly one owns the directory, three times", async () => {
	const directory = await temporaryDirectory();
	let owner = startWriter(directory);
	await owner.first;
	for (let round = 0; round < 3; round += 1) {
		await kill(owner);
		const starters = Array.from({ length: 8 }, () => startWriter(directory));
		const said = await Promise.all(starters.map(({ first }) => first));
		expect(said.map((line) => line.split(" ")[0]).sort()).toEqual(["open", ...Array(7).fill("owned")]);
		owner = starters[said.findIndex((line) => line.startsWith("open"))] as Writer;
	}
});

test("what a killed process had acknowledged is there, once, after each of five kills", async () => {
	const directory = await temporaryDirectory();
	const acknowledged: string[] = [];
	for (let round = 0; round < 5; round += 1) {
		const writer = startWriter(directory, `run${round}`);
		await writer.first;
		await new Promise((resolve) => setTimeout(resolve, 30 + Math.random() * 100));
		const reader = await openFsEventReader({ directory: join(directory) });
		const seen = await idsOf(reader);
		expect(acknowledged.filter((id) => !seen.includes(id))).toEqual([]);
		await kill(writer);
		acknowledged.push(
			...writer.lines.filter((line) => line.startsWith("stored ")).map((line) => line.slice(7)),
		);
		const after = await idsOf(reader);
		await reader.close();
		expect(new Set(after).size).toBe(after.length);
		expect(after.slice(0, seen.length)).toEqual(seen);
	}
	// Beside an owner: without one, the very last batch may not be shown.
	await startWriter(directory).first;
	const reader = await openFsEventReader({ directory });
	const present = new Set(await idsOf(reader));
	await reader.close();
	expect(acknowledged.filter((id) => !present.has(id))).toEqual([]);
	expect(acknowledged.length).toBeGreaterThan(5);
});
