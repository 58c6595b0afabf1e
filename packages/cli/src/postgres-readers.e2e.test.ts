// The commands that look into a store, on PostgreSQL, beside the server that fills it.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { postgresMissing, startPostgres, type TestPostgres } from "@reelkeep/harness/postgres";
import { runCommand, type ServeProcess } from "@reelkeep/harness/reelkeep-process";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { sampleCallback, signedRequest } from "@reelkeep/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const LINK = "http://127.0.0.1:9/720p.mp4?Expires=4102444800&Signature=revealed%3D";
const missing = postgresMissing();
if (missing !== undefined && process.env.CI !== undefined) throw new Error(missing);

let postgres: TestPostgres | undefined;
let receiver: TemporaryReceiver;
let serve: ServeProcess;
const keys = () => ["--key-file", join(receiver.directory, "..", "keys.json")];
const place = () => ["--events", postgres?.connectionString ?? ""];
const run = (...command: readonly string[]) => runCommand(entry, [...command, ...place()]);
const linesOf = (text: string): readonly Record<string, unknown>[] =>
	text
		.split("\n")
		.filter((line) => line !== "")
		.map((line) => JSON.parse(line));

async function report(overrides: Readonly<Record<string, unknown>>): Promise<void> {
	const requestParam = JSON.stringify({ ...sampleCallback({ download_url: LINK }), ...overrides });
	const request = signedRequest({ secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam });
	await sendRaw(serve.address, request);
}

beforeAll(async () => {
	receiver = temporaryReceiver(entry);
	if (missing !== undefined) return;
	postgres = await startPostgres();
	serve = await receiver.serve(...keys(), ...place());
	await report({ track_info: "kept" });
	await report({ track_info: "odd", project_id: null });
}, 60_000);
afterAll(async () => {
	await receiver.dispose();
	await postgres?.stop();
}, 60_000);

describe.skipIf(missing !== undefined)("on PostgreSQL", () => {
	test("recordings and events are printed, links whole only with the keys", async () => {
		const rows = linesOf((await run("recordings", "--json")).stdout);
		expect(rows).toMatchObject([{ trackInfo: "kept", video: null }]);
		const events = await run("events");
		expect(linesOf(events.stdout).map(({ type }) => type)).toEqual(
			expect.arrayContaining(["RecordingReported", "CallbackQuarantined"]),
		);
		expect(events.stdout).not.toContain("revealed");
		expect(await run("events", "--reveal-links")).toMatchObject({
			code: 2,
			stderr: expect.stringContaining("which keys? Give --key-file FILE"),
		});
		const whole = await runCommand(entry, ["events", "--reveal-links", ...keys(), ...place()], {
			secret: true,
		});
		expect(whole.stdout).toContain(LINK);
	});

	test("what is in quarantine is listed and shown, and redriven beside the server", async () => {
		const [callback] = linesOf((await run("quarantine", "ls", "--json")).stdout);
		expect(callback).toMatchObject({ issues: [{ field: "project_id", problem: "is missing" }] });
		const shown = await run("quarantine", "show", String(callback?.stream));
		expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining("verified   md5") });
		for (const dry of [["--dry-run"], []]) {
			const redriven = await run("quarantine", "redrive", "--all", ...dry, ...keys());
			expect(redriven).toMatchObject({ code: 1, stdout: expect.stringContaining("project_id is missing") });
		}
	});

	test("a database without Reelkeep's schema is told, and nothing is made there", async () => {
		const other = ["--events", (postgres?.connectionString ?? "").replace(/postgres$/, "template1")];
		for (const command of [["events"], ["recordings"], ["quarantine", "ls"]]) {
			const { code, stderr } = await runCommand(entry, [...command, ...other]);
			expect(code).toBe(1);
			expect(stderr).toContain("the schema reelkeep has 0 of");
		}
	});

	test("a password on the command line is refused, and quoted nowhere", async () => {
		const { code, stderr } = await runCommand(entry, [
			"events",
			"--events",
			"postgres://me:hush@127.0.0.1/x",
		]);
		expect(code).toBe(2);
		expect(stderr).toContain("put the URL into REELKEEP_EVENTS");
		expect(stderr).not.toContain("hush");
	});
});
