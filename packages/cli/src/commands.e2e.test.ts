import { spawn } from "node:child_process";
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand, startServe } from "@reelkeep/harness/reelkeep-process";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { sampleCallback, signedRequest } from "@reelkeep/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "reelkeep-commands-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const request = (callback: object): Buffer =>
	signedRequest({
		secret: TEST_SECRET,
		appKey: TEST_APP_KEY,
		now: Date.now(),
		requestParam: JSON.stringify(callback),
	});

describe("reelkeep serve is refused at start", () => {
	const data = ["--data", join(root, "never"), "--http", "127.0.0.1:0"];
	const refusals: Readonly<
		Record<string, readonly [flags: readonly string[], environment: Record<string, string>, says: RegExp]>
	> = {
		"without an app": [data, {}, /no app may report: give --apps-file/],
		"with an empty secret": [[...data, "--app", "1234="], {}, /--app: the secret of app 1234 is empty/],
		"with a blank secret": [[...data, "--app", "1234=   "], {}, /the secret of app 1234 is empty/],
		"with a blank secret in the environment": [
			data,
			{ REELKEEP_APPS: "1234= ,5678=x" },
			/REELKEEP_APPS: the secret/,
		],
		"with two secrets of one app that have no names": [
			[...data, "--app", "1=secret-one", "--app", "1=secret-two"],
			{},
			/while one replaces another, name both: 1:OLD=SECRET and 1:NEW=SECRET/,
		],
		"with projects of an app that has no secret": [
			[...data, "--app", "1=secret-of-app", "--app-projects", "2=p"],
			{},
			/--app-projects names app 2, which is no app with a secret/,
		],
		"with an app that could report nothing": [
			[...data, "--app", "1=secret-one", "--app", "2=secret-two", "--app-projects", "1=p"],
			{},
			/app 2 could report nothing: --app-projects 2=PROJECT/,
		],
		"with projects that are none": [
			[...data, "--app", "1=secret-of-app", "--app-projects", "1="],
			{},
			/--app-projects takes KEY=PROJECT/,
		],
		"with all projects of an app and some": [
			[...data, "--app", "1=secret-of-app", "--app-projects", "1=*", "--app-projects", "1=p"],
			{},
			/app 1 has all projects \(\*\) and some/,
		],
		"with two names of one secret": [
			[...data, "--app", "1:a:b=secret-of-app"],
			{},
			/an app is written KEY=SECRET, or KEY:NAME=SECRET/,
		],
		"with one secret of two apps": [
			[...data, "--app", "1=secret-of-app", "--app", "2=secret-of-app"],
			{},
			/apps 1 and 2 have the same secret/,
		],
		"with a header that is a parameter": [
			[...data, "--app", "1=secret-of-app", "--verify", "spi", "--signed-header", "timestamp"],
			{},
			/timestamp is a parameter/,
		],
		"with a rate of nothing": [
			[...data, "--app", "1=secret-of-app", "--rate-limit", "0"],
			{},
			/--rate-limit takes a number from 0.001 to 100000/,
		],
		"with a rate that is none": [
			[...data, "--app", "1=secret-of-app", "--rate-limit", "100001"],
			{},
			/--rate-limit takes a number from 0.001 to 100000/,
		],
		"with a part of an event": [
			[...data, "--app", "1=secret-of-app", "--max-events", "1.5"],
			{},
			/--max-events takes a whole number from 1 to 4294967294/,
		],
		"with more events than the log can number": [
			[...data, "--app", "1=secret-of-app"],
			{ REELKEEP_MAX_EVENTS: "4294967295" },
			/--max-events takes a whole number from 1 to 4294967294/,
		],
		"with a part of a callback": [
			[...data, "--app", "1=secret-of-app", "--quarantine-callbacks", "1.5"],
			{},
			/--quarantine-callbacks takes a whole number of at least 1/,
		],
		"with a path that is none": [
			[...data, "--app", "1=secret-of-app", "--path", "callbacks"],
			{},
			/a path begins with \/ and has no query/,
		],
		"with signed headers of the gateway": [
			[...data, "--app", "1=secret-of-app", "--signed-header", "x-a"],
			{},
			/--signed-header goes with --verify spi/,
		],
		"with a direction that is none": [
			[...data, "--app", "1=secret-of-app", "--verify", "both"],
			{},
			/Allowed choices are top, spi/,
		],
		"with an app that has no secret": [[...data, "--app", "1234"], {}, /an app is written KEY=SECRET/],
		"with an apps file that is not there": [
			[...data, "--apps-file", "/nowhere"],
			{},
			/cannot read the apps file \/nowhere: ENOENT/,
		],
		"with an address that is none": [
			["--data", "x", "--http", "8080", "--app", "1=secret-of-app"],
			{},
			/HOST:PORT/,
		],
		"with a tolerance that is none": [
			[...data, "--app", "1=secret-of-app", "--clock-tolerance", "soon"],
			{},
			/--clock-tolerance takes a duration/,
		],
		"with a tolerance of days": [
			[...data, "--app", "1=secret-of-app", "--clock-tolerance", "2d"],
			{},
			/at most 24h/,
		],
		"with a tolerance that has no unit": [
			[...data, "--app", "1=secret-of-app", "--clock-tolerance", "10"],
			{},
			/such as 10m or 90s/,
		],
		"with a switch that is none": [
			[...data, "--app", "1=secret-of-app"],
			{ REELKEEP_ALLOW_PRIVATE_NETWORK: "maybe" },
			/REELKEEP_ALLOW_PRIVATE_NETWORK takes true or false/,
		],
		"with two secrets of one app": [
			[...data, "--app", "1=secret-of-app"],
			{ REELKEEP_APPS: "1=secret-of-app-2" },
			/app 1 has another secret already/,
		],
		"with a comment behind a secret": [[...data, "--app", "1=secret-of-app # mine"], {}, /a line of its own/],
		"with a host pattern that is none": [
			[...data, "--app", "1=secret-of-app", "--allow-host", "*"],
			{},
			/"\*" names no host/,
		],
		"with a flag that is misspelt": [["--dta", "x"], {}, /Did you mean --data/],
		"with an empty data directory": [["--data", "", "--app", "1=secret-of-app"], {}, /which directory\?/],
		"without a data directory": [["--app", "1=secret-of-app"], {}, /--data/],
	};
	for (const [when, [flags, environment, says]] of Object.entries(refusals)) {
		test(when, async () => {
			const { code, stdout, stderr } = await runCommand(entry, ["serve", ...flags], { environment });
			expect(stderr).toMatch(says);
			expect(code).toBe(2);
			expect(stdout).not.toContain("ready");
			expect(stderr).not.toMatch(/secret-of-app|at file:/);
		});
	}
});

test("help and version are no errors", async () => {
	for (const command of [["--help"], ["serve", "--help"], ["events", "--help"], ["--version"]]) {
		const { code, stdout } = await runCommand(entry, command);
		expect(code).toBe(0);
		expect(stdout.length).toBeGreaterThan(4);
	}
});

describe("reelkeep looks into a store", () => {
	const receiver = temporaryReceiver(entry);
	let address = "";
	beforeAll(async () => {
		({ address } = await receiver.serve());
		await sendRaw(address, request(sampleCallback()));
		await sendRaw(
			address,
			request(
				sampleCallback({
					track_info: "\u001b[31mred\u0007",
					download_url: "https://oss.aliyuncs.com/b.mp4?Signature=x",
				}),
			),
		);
	});
	afterAll(() => receiver.dispose());

	test("beside the running server, oldest first, with links masked", async () => {
		const events = await receiver.events();
		const reported = events.filter(({ type }) => type === "RecordingReported");
		expect(reported.map(({ version }) => version)).toEqual([1, 1]);
		expect(events.map(({ position }) => Number(position))).toEqual(events.map((_, index) => index + 1));
		expect(reported[0]).toMatchObject({
			type: "RecordingReported",
			data: {
				trackInfo: "9dacb134-1735-4e3b-bb33-3bea06ae54ad",
				downloadUrl: expect.stringMatching(/720p\.mp4\?\*\*\*$/),
			},
			metadata: { ingress: "http", appKey: TEST_APP_KEY },
		});
	});

	test("after a position, and one stream", async () => {
		const events = await receiver.events();
		const [first] = events;
		const behind = await receiver.events("--after", first?.position ?? "");
		expect(behind.slice(0, events.length - 1).map(({ id }) => id)).toEqual(
			events.slice(1).map(({ id }) => id),
		);
		const stream = await receiver.events("--stream", first?.stream ?? "");
		expect(stream.every(({ stream: name }) => name === first?.stream)).toBe(true);
		expect(stream[0]?.id).toBe(first?.id);
	});

	test("with whole links only when they are asked for by name", async () => {
		const [event] = await receiver.events("--reveal-links");
		expect(event?.data.downloadUrl).toBe(sampleCallback().download_url);
	});

	test("and shows recordings by track and by state", async () => {
		const track = await receiver.recordings("--track", "9dacb134-1735-4e3b-bb33-3bea06ae54ad");
		expect(track).toHaveLength(1);
		expect(track[0]).toMatchObject({ state: "pending", deadline: expect.stringMatching(/Z$/) });
		expect(await receiver.recordings("--state", "archived")).toEqual([]);
		expect(await receiver.recordings("--state", "pending")).toHaveLength(2);
		const table = await receiver.run("recordings");
		expect(table.stdout).toContain("9dacb134-1735-4e3b-bb33-3bea06ae54ad");
		expect(table.stdout).not.toContain("\u001b[31m");
		const wrong = await receiver.run("recordings", "--state", "lost");
		expect(wrong.code).not.toBe(0);
		expect(wrong.stderr).toContain("pending, archived, expired, abandoned");
	});

	test("which a second server is refused, and told by whom", async () => {
		const apps = join(root, "apps");
		writeFileSync(apps, `${TEST_APP_KEY}=${TEST_SECRET}\n`);
		chmodSync(apps, 0o600);
		const flags = ["--data", receiver.directory, "--http", "127.0.0.1:0", "--apps-file", apps];
		const { code, stderr } = await runCommand(entry, ["serve", ...flags]);
		expect(code).toBe(1);
		expect(stderr).toMatch(/in use by process \d+ on host/);
	});

	test("and a store that is not there is an error that says so", async () => {
		const { code, stderr } = await runCommand(entry, ["events", "--data", join(root, "nothing")]);
		expect(code).toBe(1);
		expect(stderr).toMatch(/^reelkeep: .*nothing/);
	});
});

describe("reelkeep serve", () => {
	test("answers what is in flight on SIGTERM and exits 0, then goes on where it stopped", async () => {
		const receiver = temporaryReceiver(entry);
		try {
			const first = await receiver.serve();
			const replies = Array.from({ length: 20 }, (_, index) =>
				sendRaw(first.address, request(sampleCallback({ track_info: `track-${index}` }))).then(
					({ body }) => body.includes('"consume_state":1'),
					() => undefined,
				),
			);
			await Promise.race(replies);
			expect(await first.stop()).toBe(0);
			const acknowledged = (await Promise.all(replies)).filter((answer) => answer === true).length;
			expect(acknowledged).toBeGreaterThan(0);
			const reported = (await receiver.events()).filter(({ type }) => type === "RecordingReported");
			expect(reported.length).toBeGreaterThanOrEqual(acknowledged);
			const second = await receiver.serve();
			await sendRaw(second.address, request(sampleCallback({ track_info: "track-0" })));
			expect(await second.stop()).toBe(0);
			const again = (await receiver.events()).filter(({ type }) => type === "RecordingReported");
			expect(again.filter(({ data }) => data.trackInfo === "track-0")).toHaveLength(1);
		} finally {
			await receiver.dispose();
		}
	});

	test("serves /healthz and /readyz, and names what is wrong", async () => {
		const receiver = temporaryReceiver(entry);
		try {
			const { address } = await receiver.serve();
			expect((await fetch(`${address}/healthz`)).status).toBe(200);
			expect((await fetch(`${address}/readyz`)).status).toBe(200);
			await sendRaw(address, request(sampleCallback()));
			await expect
				.poll(async () => (await fetch(`${address}/readyz`)).text(), { timeout: 10_000 })
				.toContain("ali-cloudgame.oss-cn-zhangjiakou.aliyuncs.com");
			const degraded = await fetch(`${address}/readyz`);
			expect([degraded.status, await degraded.text()]).toEqual([
				200,
				expect.stringContaining('"status":"degraded"'),
			]);
		} finally {
			await receiver.dispose();
		}
	});

	test("is not opened to the private network by REELKEEP_ALLOW_PRIVATE_NETWORK=false", async () => {
		const directory = join(root, "closed");
		const http = ["--data", directory, "--http", "127.0.0.1:0", "--allow-host", "127.0.0.1"];
		const serve = await startServe({
			entry,
			flags: [...http, "--app", `${TEST_APP_KEY}=${TEST_SECRET}`],
			environment: { REELKEEP_ALLOW_PRIVATE_NETWORK: "false" },
		});
		try {
			await sendRaw(
				serve.address,
				request(sampleCallback({ download_url: "http://127.0.0.1:9/v.mp4?Signature=x" })),
			);
			await expect
				.poll(async () => (await fetch(`${serve.address}/readyz`)).text(), { timeout: 10_000 })
				.toContain("--allow-private-network");
		} finally {
			await serve.stop();
		}
	});

	test("goes on, and stops cleanly, when its log has no room", {
		skip: process.platform !== "linux",
	}, async () => {
		const full = openSync("/dev/full", "w");
		const flags = [
			"--data",
			join(root, "full"),
			"--http",
			"127.0.0.1:0",
			"--app",
			`${TEST_APP_KEY}=${TEST_SECRET}`,
		];
		const child = spawn(process.execPath, [entry, "serve", ...flags], { stdio: ["ignore", "pipe", full] });
		closeSync(full);
		try {
			const ready = await new Promise<string>((resolve) =>
				child.stdout?.once("data", (line) => resolve(String(line))),
			);
			const address = /http=(\S+)/.exec(ready)?.[1] ?? "";
			expect((await fetch(`${address}/elsewhere`, { method: "POST", body: "x=1" })).status).toBe(404);
			const { body } = await sendRaw(address, request(sampleCallback({ project_id: null })));
			expect(body).toContain("project_id is missing");
			child.kill("SIGTERM");
			expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(0);
		} finally {
			child.kill("SIGKILL");
		}
	});

	test("runs without HTTP", async () => {
		const receiver = temporaryReceiver(entry);
		try {
			const serve = await receiver.serve("--http", "off");
			expect(serve.address).toBe("off");
			expect(await serve.stop()).toBe(0);
		} finally {
			await receiver.dispose();
		}
	});
});
