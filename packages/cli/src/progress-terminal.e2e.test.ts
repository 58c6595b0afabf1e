// Progress bars of the real `reelkeep` on a pseudo-terminal, as a terminal draws them.

import { fileURLToPath } from "node:url";
import { putSlowVideo, type SlowVideo } from "@reelkeep/harness/slow-videos";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { type ObjectStore, startObjectStore } from "@reelkeep/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { leavePending, reportLinks } from "./test-pending.js";
import { HAS_PSEUDO_TERMINALS, runOnTerminal, type TerminalRun } from "./test-pseudo-terminal.js";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const LOOPBACK = ["--allow-host", "127.0.0.1", "--allow-private-network"];
const SERVE = ["--http", "127.0.0.1:0", "--app", `${TEST_APP_KEY}=${TEST_SECRET}`];
const BAR = /^\[[=-]+\] +\d+% .*MiB .*\/s .* 127\.0\.0\.1:\d+ [0-9a-f]{8}$/;
const PATIENCE = { timeout: 20_000 };

let origin: ObjectStore;
let receiver: TemporaryReceiver;
let runs: TerminalRun[];
beforeEach(async () => {
	origin = await startObjectStore();
	receiver = temporaryReceiver(entry);
	runs = [];
});
afterEach(async () => {
	for (const run of runs) run.kill();
	await receiver.dispose();
	await origin.close();
});

const run = (command: readonly string[], options: Parameters<typeof runOnTerminal>[1] = {}): TerminalRun => {
	const started = runOnTerminal([process.execPath, entry, ...command, ...receiver.data], options);
	runs.push(started);
	return started;
};
/** Each takes three seconds, or one. */
const slowVideos = (count: number, extraBytes = 1024 * 1024): Promise<readonly SlowVideo[]> =>
	Promise.all(
		Array.from({ length: count }, (_, index) =>
			putSlowVideo(origin, { name: `${index}.mp4`, extraBytes, slowTimes: 1 }),
		),
	);

const leave = (videos: readonly SlowVideo[]): Promise<void> =>
	leavePending(
		entry,
		receiver.directory,
		videos.map(({ link }) => link),
	);
const report = (address: string, videos: readonly SlowVideo[]): Promise<void> =>
	reportLinks(
		address,
		videos.map(({ link }) => link),
	);

async function bars({ lines }: TerminalRun): Promise<readonly string[]> {
	return (await lines()).filter((line) => BAR.test(line));
}

describe.skipIf(!HAS_PSEUDO_TERMINALS)("on a terminal", () => {
	test("archive shows a bar for each download, and leaves only what became of them", async () => {
		await leave(await slowVideos(3));
		const archive = run(["archive", ...LOOPBACK]);
		await expect.poll(() => bars(archive), PATIENCE).toHaveLength(3);
		expect((await archive.lines())[0]).toMatch(/^3 downloads: .* of 3\.\d MiB, .*\/s; 0 kept$/);
		expect(await archive.ended).toBe(0);
		expect(await archive.lines()).toEqual(["3 archived, 0 lost, 0 pending"]);
	});

	test("serve draws them below its log, of which each line stays whole", async () => {
		const serve = run(["serve", ...SERVE, ...LOOPBACK, "--log-level", "trace"], { columns: 90, rows: 12 });
		const readyLine = async () => (await serve.lines()).find((line) => line.startsWith("reelkeep: ready"));
		await expect.poll(readyLine, PATIENCE).toBeDefined();
		const address = /http=(\S+)/.exec((await readyLine()) ?? "")?.[1] ?? "";
		const videos = await slowVideos(4, 2 * 1024 * 1024);
		await report(address, videos.slice(0, 3));
		await expect.poll(() => bars(serve), PATIENCE).toHaveLength(3);
		// Logged while bars are drawn.
		await report(address, [...videos.slice(3), ...videos]);
		await expect.poll(() => bars(serve), PATIENCE).toHaveLength(4);
		const kept = async () => (await serve.lines()).filter((line) => line.includes('"video kept"'));
		await expect.poll(kept, PATIENCE).toHaveLength(4);
		serve.type("\u0003");
		expect(await serve.ended).toBe(0);
		// The terminal's own echo stands before whatever is written next.
		const lines = (await serve.lines()).map((line) => line.replace(/^\^C/, ""));
		const others = lines.filter((line) => !isJson(line));
		expect(others).toEqual([expect.stringMatching(/^reelkeep: ready http=/)]);
		expect(lines.length).toBeGreaterThan(20);
	});

	test("Ctrl-C takes the bars away, and what came so far stays", async () => {
		await leave(await slowVideos(1));
		const archive = run(["archive", ...LOOPBACK]);
		await expect.poll(() => bars(archive), PATIENCE).toHaveLength(1);
		archive.type("\u0003");
		expect(await archive.ended).toBe(130);
		const [first, ...rest] = await archive.lines();
		expect(first).toMatch(/^(\^C)?reelkeep: stopped; what has come of the downloads under way stays/);
		expect(rest).toEqual([]);
		expect((await receiver.run("archive", ...LOOPBACK)).code).toBe(0);
	});

	test.each([
		["--no-progress", ["--no-progress"], {}],
		["a dumb terminal", [], { TERM: "dumb" }],
		["CI", [], { CI: "true" }],
		["silence", ["--log-level", "silent"], {}],
	])("there is no bar with %s", async (_, flags, environment) => {
		await leave(await slowVideos(1, 320 * 1024));
		const archive = run(["archive", ...LOOPBACK, ...flags], { environment });
		expect(await archive.ended).toBe(0);
		expect(await archive.lines()).toEqual(["1 archived, 0 lost, 0 pending"]);
	});
});

function isJson(line: string): boolean {
	try {
		return typeof JSON.parse(line) === "object";
	} catch {
		return false;
	}
}
