// Standard error that cannot be written: its disk is full, or its reader has gone. What a command does, prints and ends with
// is the same.

import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { type ObjectStore, startObjectStore } from "@reelkeep/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leavePending } from "./test-pending.js";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
/** Of the process: each look at the clock is a minute after the one before, so that every line of progress is due. */
const HURRY = "let now = Date.now(); Date.now = () => (now += 60_000);";
const HURRIED = ["--import", `data:text/javascript,${encodeURIComponent(HURRY)}`];

let origin: ObjectStore;
let receiver: TemporaryReceiver;
beforeAll(async () => {
	origin = await startObjectStore();
	receiver = temporaryReceiver(entry);
	origin.put("a.mp4", Buffer.alloc(3 * 1024 * 1024, 7));
	const expiresAtMs = Date.now() + 3_600_000;
	const link = { url: origin.presign("a.mp4", expiresAtMs), expiresAtMs };
	await leavePending(entry, receiver.directory, [link]);
	const loopback = ["--allow-host", "127.0.0.1", "--allow-private-network"];
	expect((await receiver.run("archive", ...loopback)).code).toBe(0);
});
afterAll(async () => {
	await receiver.dispose();
	await origin.close();
});

async function run(stderr: "a full disk" | "nobody", command: readonly string[]) {
	const full = stderr === "nobody" ? undefined : openSync("/dev/full", "w");
	const child = spawn(process.execPath, [...HURRIED, entry, ...command], {
		stdio: ["ignore", "pipe", full ?? "pipe"],
		timeout: 30_000,
	});
	if (full !== undefined) closeSync(full);
	child.stderr?.destroy();
	const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
	return { stdout: await text(child.stdout as NodeJS.ReadableStream), code: await ended };
}

describe.each(["a full disk", "nobody"] as const)("with %s at standard error", (stderr) => {
	// Only Linux has /dev/full.
	const skip = stderr === "a full disk" && process.platform !== "linux";

	test.each([
		[["doctor", "--hashes"], /log and videos agree\n$/],
		[["doctor", "--hashes", "--fix"], /log and videos agree\n$/],
		[["verify"], /the event log is sound\n$/],
		[["repair"], /there was nothing to repair\n$/],
		[["backup", "--to", "copy"], /the keys are not in it: .*\n$/],
	])("reelkeep %j does its work", { skip }, async ([name = "", ...flags], says) => {
		const to = flags.map((flag) => (flag === "copy" ? join(receiver.directory, `../${stderr}`) : flag));
		const { code, stdout } = await run(stderr, [name, ...to, ...receiver.data]);
		expect([code, stdout]).toEqual([0, expect.stringMatching(says)]);
	});

	test("a mistake ends with 2, and a fault with 1", { skip }, async () => {
		expect(await run(stderr, ["doctor"])).toEqual({ code: 2, stdout: "" });
		expect(await run(stderr, ["doctor", "--no-such-flag"])).toEqual({ code: 2, stdout: "" });
		const nowhere = ["doctor", "--data", join(receiver.directory, "nowhere")];
		expect(await run(stderr, nowhere)).toEqual({ code: 1, stdout: "" });
	});
});
