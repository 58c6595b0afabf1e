// `reelkeep quarantine` on stores that a real `serve` has filled: with what nobody can decode, and with what only an earlier
// build could not.

import { fileURLToPath } from "node:url";
import { type ChangedBuild, changedBuild } from "@reelkeep/harness/changed-build";
import { runCommand, type ServeProcess, startServe } from "@reelkeep/harness/reelkeep-process";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { sampleCallback, signedRequest } from "@reelkeep/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const LINK = "http://127.0.0.1:9/720p.mp4?Expires=4102444800&Signature=quarantined%3D";

async function codeOf({ address }: ServeProcess, requestParam: string): Promise<unknown> {
	const request = signedRequest({ secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam });
	return JSON.parse((await sendRaw(address, request)).body).error_response?.code;
}

let receiver: TemporaryReceiver;
const today = (...command: readonly string[]) => runCommand(entry, [...command, ...receiver.data]);
const quarantine = (...command: readonly string[]) => today("quarantine", ...command);
const jsonLines = (text: string): readonly Record<string, unknown>[] =>
	text
		.split("\n")
		.filter((line) => line !== "")
		.map((line) => JSON.parse(line));
const waiting = async () => jsonLines((await quarantine("ls", "--json")).stdout);
const storedTypes = async () => jsonLines((await today("events")).stdout).map(({ type }) => type);
afterEach(() => receiver.dispose());

describe("what cannot be decoded", () => {
	const body = JSON.stringify(sampleCallback({ project_id: null, download_url: LINK }));
	let serve: ServeProcess;
	beforeEach(async () => {
		receiver = temporaryReceiver(entry);
		serve = await receiver.serve();
		expect(await codeOf(serve, body)).toBe(50);
	});

	test("is listed and shown beside the server, its body only when that is asked for", async () => {
		const [callback] = await waiting();
		expect(callback).toMatchObject({
			appKey: TEST_APP_KEY,
			bytes: body.length,
			issues: [{ field: "project_id", problem: "is missing" }],
			redriven: null,
		});
		const stream = String(callback?.stream);
		const id = stream.slice("quarantine-".length).slice(0, 12);
		const table = await quarantine("ls");
		expect(table.stdout).toContain(id);
		expect(table.stdout).toContain("project_id is missing");
		const shown = await quarantine("show", id);
		expect(shown).toMatchObject({ code: 0, stderr: "" });
		expect(shown.stdout).toContain(stream);
		expect(shown.stdout).toContain("verified   md5");
		for (const text of [table.stdout, shown.stdout]) expect(text).not.toMatch(/Signature|127\.0\.0\.1/);
		const revealed = await runCommand(
			entry,
			["quarantine", "show", stream, "--reveal-body", "--json", ...receiver.data],
			{ secret: true },
		);
		expect(JSON.parse(revealed.stdout)).toMatchObject({ stream, body });
	});

	test("is not redriven beside the server, which is named; a dry run tells the reasons", async () => {
		const refused = await quarantine("redrive", "--all");
		expect(refused).toMatchObject({ code: 1, stdout: "" });
		expect(refused.stderr).toContain(String(serve.pid));
		expect(refused.stderr).toContain("Stop it first; --dry-run looks beside it");
		const dry = await quarantine("redrive", "--all", "--dry-run");
		expect(dry.code).toBe(1);
		expect(dry.stdout).toContain("still cannot be decoded: project_id is missing");
	});

	test("stays in quarantine with its reasons, and nothing else changes", async () => {
		await serve.stop();
		const [before, types] = [await waiting(), await storedTypes()];
		const redriven = await quarantine("redrive", "--all", "--json");
		expect(redriven.code).toBe(1);
		expect(jsonLines(redriven.stdout)).toMatchObject([
			{ _tag: "StillUndecodable", issues: [{ field: "project_id", problem: "is missing" }], dryRun: false },
		]);
		expect([await waiting(), await storedTypes()]).toEqual([before, types]);
	});

	test("is not looked for when it is called in a wrong way", async () => {
		await serve.stop();
		const wrong: readonly (readonly [command: readonly string[], message: string])[] = [
			[["redrive"], "name the callbacks to redrive, or give --all"],
			[["redrive", "--all", "0123"], "name the callbacks to redrive, or give --all"],
			[["redrive", "zzzz"], "no quarantined callback begins with zzzz"],
			[["redrive", ""], "no quarantined callback begins with "],
			[["show", "zzzz"], "no quarantined callback begins with zzzz"],
			[["show"], "missing required argument 'id'"],
			[["redrive", "--all", "--app-projects", "rubbish"], "--app-projects takes KEY=PROJECT"],
			[["purge"], "unknown command 'purge'"],
		];
		for (const [command, message] of wrong) {
			const result = await quarantine(...command);
			expect(result).toMatchObject({ code: 2, stdout: "" });
			expect(result.stderr).toContain(message);
		}
	});
});

describe("what an earlier build could not decode", () => {
	let earlier: ChangedBuild;
	beforeAll(() => {
		earlier = changedBuild(entry, {
			file: "packages/core/dist/screen-record-callback.js",
			from: 'typeof value === "string" && WHOLE_NUMBER.test(value) ? Number(value) : value',
			to: "value",
		});
	});
	afterAll(() => earlier.dispose());

	/** As PHP's samples send it. */
	const php = (changes: object = {}): string =>
		JSON.stringify(sampleCallback({ version: "1", download_url: LINK, ...changes }));
	beforeEach(async () => {
		receiver = temporaryReceiver(earlier.entry);
		const serve = await receiver.serve();
		for (const body of [php(), "not json", php({ account_id: "another" })]) {
			expect(await codeOf(serve, body)).toBe(50);
		}
		await serve.stop();
	});

	test("is redriven by this one, once; what nobody can decode stays", async () => {
		const dry = await quarantine("redrive", "--all", "--dry-run");
		expect(dry.stdout).toContain("nothing was changed: 2 would be redriven, 1 would stay in quarantine");
		expect(await storedTypes()).toEqual(Array(3).fill("CallbackQuarantined"));

		const redriven = await quarantine("redrive", "--all");
		expect(redriven.code).toBe(1);
		expect(redriven.stdout).toMatch(/the first report of recording-[0-9a-f]{64}\n/);
		expect(redriven.stdout).toMatch(/contradicts recording-[0-9a-f]{64}\n/);
		expect(redriven.stdout).toContain("still cannot be decoded: request_param is not JSON");
		expect(redriven.stdout).toContain("2 redriven, 1 stay in quarantine");

		const events = await receiver.events();
		const [quarantined] = events;
		expect(events.slice(3).map(({ type }) => type)).toEqual([
			"RecordingReported",
			"CallbackRedriven",
			"ReportContradicted",
			"CallbackRedriven",
		]);
		expect(events[3]?.metadata).toMatchObject({
			ingress: "redrive",
			appKey: TEST_APP_KEY,
			causationId: quarantined?.id,
			verification: quarantined?.metadata.verification,
		});
		expect(await waiting()).toHaveLength(1);
		expect(jsonLines((await today("recordings", "--json")).stdout)).toMatchObject([{ state: "pending" }]);

		const again = await quarantine("redrive", String(quarantined?.stream));
		expect(again).toMatchObject({ code: 0 });
		expect(again.stdout).toContain("was redriven before, into recording-");
		expect(await receiver.events()).toEqual(events);
		const all = jsonLines((await quarantine("ls", "--all", "--json")).stdout);
		expect(all.map(({ redriven }) => (redriven as { outcome: string } | null)?.outcome)).toEqual([
			"Reported",
			undefined,
			"Contradicted",
		]);
	});

	test("is redriven by the next run when one was killed between the report and saying so", async () => {
		const killed = changedBuild(entry, {
			file: "packages/core/dist/redrive.js",
			from: "return settle(",
			to: 'process.kill(process.pid, "SIGKILL"); return settle(',
		});
		const id = String((await waiting())[0]?.stream);
		const result = await runCommand(killed.entry, ["quarantine", "redrive", id, ...receiver.data]);
		killed.dispose();
		expect(result.code).toBeNull();
		const again = await quarantine("redrive", id);
		expect(again).toMatchObject({ code: 0 });
		expect(again.stdout).toContain("known already to recording-");
		expect((await storedTypes()).slice(3)).toEqual(["RecordingReported", "CallbackRedriven"]);
	});

	test("stays in quarantine while its app may not report its project", async () => {
		const refused = await quarantine("redrive", "--all", "--app-projects", `${TEST_APP_KEY}=another`);
		expect(refused.code).toBe(1);
		expect(refused.stdout).toContain("may not report recordings of this project");
		expect(await storedTypes()).toEqual(Array(3).fill("CallbackQuarantined"));
	});

	test("is the recording's first report for the server that starts afterwards", async () => {
		const id = String((await waiting())[0]?.stream);
		expect(await quarantine("redrive", id)).toMatchObject({ code: 0 });
		const serve = await serveToday();
		expect(await codeOf(serve, php())).toBeUndefined();
		await serve.stop();
		expect((await storedTypes()).filter((type) => type === "RecordingReported")).toHaveLength(1);
	});

	/** Today's build on the same store. */
	async function serveToday(): Promise<ServeProcess> {
		const flags = [...receiver.data, "--http", "127.0.0.1:0", "--allow-host", "127.0.0.1"];
		return startServe({
			entry,
			flags: [...flags, "--allow-private-network"],
			environment: { REELKEEP_APPS: `${TEST_APP_KEY}=${TEST_SECRET}` },
		});
	}
});
