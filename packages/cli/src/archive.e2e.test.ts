// `reelkeep archive` on stores that a server has left, against an origin on loopback.

import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { StatedLink } from "@reelkeep/harness/reporters";
import { putSlowVideo } from "@reelkeep/harness/slow-videos";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { transcribe } from "@reelkeep/harness/transcript";
import { type ObjectStore, startObjectStore } from "@reelkeep/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { leavePending } from "./test-pending.js";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const LOOPBACK = ["--allow-host", "127.0.0.1", "--allow-private-network"];
/** Far enough for nothing to be at risk. */
const LIFETIME_MS = 2 * 3_600_000;

let origin: ObjectStore;
let receiver: TemporaryReceiver;
beforeEach(async () => {
	origin = await startObjectStore();
	receiver = temporaryReceiver(entry);
});
afterEach(async () => {
	await receiver.dispose();
	await origin.close();
});

const leave = (...links: readonly StatedLink[]): Promise<void> =>
	leavePending(entry, receiver.directory, links);

const linkTo = (name: string, lifetimeMs = LIFETIME_MS): StatedLink => ({
	url: origin.presign(name, Date.now() + lifetimeMs),
	expiresAtMs: Date.now() + LIFETIME_MS,
});
const video = (name: string): StatedLink => {
	origin.put(name, Buffer.from(`video ${name} `.repeat(1000)));
	return linkTo(name);
};
const states = async (): Promise<unknown[]> => (await receiver.recordings()).map(({ state }) => state);

describe("reelkeep archive", () => {
	test("keeps what is pending and ends with 0", async () => {
		await leave(video("a.mp4"), video("b.mp4"), video("c.mp4"));
		const { code, stdout, stderr } = await receiver.run("archive", ...LOOPBACK);
		expect([code, stdout, stderr]).toEqual([0, "3 archived, 0 lost, 0 pending\n", ""]);
		expect(await states()).toEqual(["archived", "archived", "archived"]);
		expect((await receiver.run("archive", "--json")).stdout).toBe(
			'{"archived":0,"lost":0,"pending":0,"nextAttemptAt":null,"problems":[]}\n',
		);
	});

	test("tries again what fails in passing", async () => {
		const link = video("a.mp4");
		origin.fault("a.mp4", { _tag: "Status", status: 503 }, { _tag: "Drop", afterBytes: 100 });
		await leave(link);
		const { code, stdout } = await receiver.run("archive", ...LOOPBACK);
		expect([code, stdout]).toEqual([0, "1 archived, 0 lost, 0 pending\n"]);
	});

	test("tells what is lost, and ends with 1", async () => {
		await leave(video("a.mp4"), linkTo("b.mp4", -LIFETIME_MS));
		const { code, stdout } = await receiver.run("archive", ...LOOPBACK);
		expect(code).toBe(1);
		expect(stdout).toMatch(/^1 archived, 1 lost, 0 pending\nlost: .*reelkeep recordings/);
		expect((await states()).sort()).toEqual(["archived", "expired"]);
		// What was lost by an earlier run is not pending any more.
		const again = await receiver.run("archive", ...LOOPBACK);
		expect([again.code, again.stdout]).toEqual([0, "0 archived, 0 lost, 0 pending\n"]);
	});

	test("does not wait for what this run cannot mend, and says what to do", async () => {
		await leave(video("a.mp4"), {
			url: "https://elsewhere.invalid/b.mp4?Signature=x",
			expiresAtMs: Date.now() + LIFETIME_MS,
		});
		const startedAt = Date.now();
		const { code, stdout } = await receiver.run("archive", ...LOOPBACK);
		expect(Date.now() - startedAt).toBeLessThan(20_000);
		expect(code).toBe(1);
		expect(stdout).toMatch(
			/^1 archived, 0 lost, 1 pending\n.*elsewhere\.invalid.*--allow-host.*\npending: run the same/,
		);
		const json = JSON.parse((await receiver.run("archive", "--json", ...LOOPBACK)).stdout);
		expect(json).toMatchObject({
			archived: 0,
			lost: 0,
			pending: 1,
			problems: [expect.stringContaining("elsewhere")],
		});
		expect(Date.parse(json.nextAttemptAt)).toBeGreaterThan(Date.now());
	});

	test("does not wait for ever for a disk that takes no more", {
		skip: process.platform !== "linux",
	}, async () => {
		origin.put("a.mp4", Buffer.alloc(3 * 1024 * 1024, 7));
		await leave(linkTo("a.mp4"));
		// No file of more than 1 MiB.
		const limited = [
			"ulimit -f 1024; exec",
			process.execPath,
			entry,
			"archive",
			...receiver.data,
			...LOOPBACK,
		];
		const child = spawn("bash", ["-c", `${limited.join(" ")} --wait 2s`], {
			stdio: ["ignore", "pipe", "ignore"],
			timeout: 30_000,
		});
		const stdout = text(child.stdout);
		const code = await new Promise((resolve) => child.once("close", resolve));
		expect(code).toBe(1);
		expect(await stdout).toMatch(
			/^0 archived, 0 lost, 1 pending\n(?!.*EFBIG.*EFBIG).*EFBIG.*; 1 recording waits for it\npending: /s,
		);
	});

	test("is refused beside a server, which archives by itself", async () => {
		const { pid } = await receiver.serve();
		const { code, stderr } = await receiver.run("archive", ...LOOPBACK);
		expect(code).toBe(1);
		expect(stderr).toContain(`is in use by process ${pid} `);
		expect(stderr).toMatch(/reelkeep serve, there is nothing to do: it archives by itself\n$/);
	});

	test("makes no store where there is none", async () => {
		const { code, stderr } = await receiver.run("archive");
		expect([code, stderr]).toEqual([1, expect.stringMatching(/^reelkeep: there is no event store in /)]);
		expect(existsSync(receiver.directory)).toBe(false);
	});

	test.each([
		[["--wait", "soon"], /--wait takes a duration/],
		[["--wait", "10"], /--wait takes a duration/],
		[["--allow-port", "99999"], /--allow-port takes a whole number/],
		[["--allow-host", "http://x"], /http:\/\/x/],
		[["--concurrency", "none"], /--concurrency takes/],
		[["--max-video-mib", "8589934592"], /--max-video-mib takes a whole number from 1 to 8589934591/],
	])("is called in a wrong way with %j", async (flags, says) => {
		const { code, stderr } = await receiver.run("archive", ...flags);
		expect([code, stderr]).toEqual([2, expect.stringMatching(says)]);
	});
});

/** Starts it, and waits for nothing. `said`: on standard error so far. */
function startArchive(...flags: readonly string[]) {
	const command = [entry, "archive", ...receiver.data, ...LOOPBACK, ...flags];
	const child = spawn(process.execPath, command, { stdio: ["ignore", "ignore", "pipe"] });
	let said = "";
	child.stderr.setEncoding("utf8").on("data", (text: string) => {
		said += text;
		transcribe("cli", text);
	});
	const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
	return { child, ended, said: () => said };
}

describe("reelkeep archive that takes a while", () => {
	test("says now and then how far it is, unless it is told not to", async () => {
		const { link } = await putSlowVideo(origin, { name: "a.mp4", extraBytes: 1024 * 1024, slowTimes: 1 });
		await leave(link);
		const loud = startArchive();
		expect(await loud.ended).toBe(0);
		expect(loud.said()).toMatch(/^(1 download: [\d.]+ [KM]iB of 1\.\d MiB, [\d.]+ KiB\/s; 0 kept\n)+$/);
		const again = await putSlowVideo(origin, { name: "b.mp4", extraBytes: 1024 * 1024, slowTimes: 1 });
		await leave(again.link);
		const quiet = startArchive("--no-progress");
		expect([await quiet.ended, quiet.said()]).toEqual([0, ""]);
	});

	const parts = (): readonly number[] => {
		const folder = join(receiver.directory, "videos", "partial");
		const names = existsSync(folder) ? readdirSync(folder) : [];
		return names.filter((name) => name.endsWith(".part")).map((name) => statSync(join(folder, name)).size);
	};

	test("keeps what came of a download, says so, and goes on with it", async () => {
		const { link, bytes, sha256 } = await putSlowVideo(origin, {
			name: "a.mp4",
			extraBytes: 1024 * 1024,
			slowTimes: 1,
		});
		await leave(link);
		const run = startArchive();
		await expect.poll(() => parts()[0] ?? 0, { timeout: 15_000 }).toBeGreaterThan(100_000);
		run.child.kill("SIGTERM");
		expect(await run.ended).toBe(143);
		expect(run.said()).toMatch(/reelkeep: stopped; what has come of the downloads under way stays/);
		const held = parts()[0] ?? 0;
		expect(held).toBeGreaterThan(100_000);
		expect(held).toBeLessThan(bytes);
		expect((await receiver.run("archive", ...LOOPBACK)).code).toBe(0);
		expect(await receiver.recordings()).toMatchObject([{ state: "archived", bytes, sha256 }]);
	});
});
