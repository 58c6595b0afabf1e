// `reelkeep backup` beside a `reelkeep serve` under load, and what a server makes of the copies. The senders are another
// process than both, so what they were told is what counts.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
	chmodSync,
	copyFileSync,
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client, credentials } from "@grpc/grpc-js";
import { ReportOutcome, type ReportRecordingResponse, recordingService } from "@reelkeep/adapter-grpc/v1";
import {
	type CommandResult,
	runCommand,
	type ServeProcess,
	startServe,
} from "@reelkeep/harness/reelkeep-process";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { type PrintedEvent, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { openFsEventReader } from "@reelkeep/storage-fs";
import { sampleCallback, sampleVideo, signedRequest, startObjectStore } from "@reelkeep/testing";
import { expect, test } from "vitest";

const SENDERS = 4;
const PAUSE_MS = 25;
const HOUR_MS = 3_600_000;
/** A line now and then, on a slow disk. */
const PROGRESS = /^(\S+ \w+ of \S+ \w+\n)*$/;

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));

type Callback = ReturnType<typeof sampleCallback>;

async function report(address: string, callback: Callback): Promise<boolean> {
	const requestParam = JSON.stringify(callback);
	const request = signedRequest({ secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam });
	return (await sendRaw(address, request)).body.includes('"consume_state":1');
}

/** Over gRPC, which tells what became of a report. */
async function outcomeOf(grpcAddress: string, callback: Callback): Promise<ReportOutcome | undefined> {
	const { path, requestSerialize, responseDeserialize } = recordingService.ReportRecording;
	const value = {
		gameId: String(callback.game_id),
		trackInfo: String(callback.track_info),
		accountDomain: BigInt(callback.account_domain as number),
		downloadUrl: String(callback.download_url),
		version: BigInt(callback.version as number),
		accountId: String(callback.account_id),
		expireTime: BigInt(callback.expire_time as number),
		action: String(callback.action),
		projectId: String(callback.project_id),
	};
	const client = new Client(grpcAddress, credentials.createInsecure());
	try {
		const request = { report: { case: "callback" as const, value } };
		const response = await new Promise<ReportRecordingResponse>((resolve, reject) => {
			client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) =>
				answer === undefined ? reject(error) : resolve(answer),
			);
		});
		return response.outcome;
	} finally {
		client.close();
	}
}

/** Reports new recordings from several connections, until it is ended. */
function startLoad(address: string, newCallback: (track: string) => Callback) {
	const acknowledged = new Map<string, Callback>();
	let ended = false;
	let serial = 0;
	const senders = Array.from({ length: SENDERS }, async () => {
		while (!ended) {
			serial += 1;
			const callback = newCallback(`load-${serial}`);
			if (await report(address, callback)) acknowledged.set(String(callback.track_info), callback);
			await pause(PAUSE_MS);
		}
	});
	return {
		acknowledged,
		async end() {
			ended = true;
			await Promise.all(senders);
		},
	};
}

interface Taken {
	readonly copy: string;
	/** What had been acknowledged before it began. */
	readonly before: readonly string[];
	readonly result: CommandResult;
}

function serveCopy(copy: string): Promise<ServeProcess> {
	const addresses = ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"];
	const videos = ["--allow-host", "127.0.0.1", "--allow-private-network"];
	const app = ["--app", `${TEST_APP_KEY}=${TEST_SECRET}`];
	return startServe({ entry, flags: ["--data", copy, ...app, ...addresses, ...videos] });
}

async function eventsIn(copy: string): Promise<readonly PrintedEvent[]> {
	const reader = await openFsEventReader({ directory: copy });
	const events: PrintedEvent[] = [];
	for await (const event of reader.readAll()) events.push({ ...event, metadata: { ...event.metadata } });
	await reader.close();
	return events;
}

const tracksOf = (events: readonly PrintedEvent[]): readonly string[] =>
	events.filter(({ type }) => type === "RecordingReported").map(({ data }) => String(data.trackInfo));

test("backups taken under load are each a store of one moment, which a server goes on with", async () => {
	const receiver = temporaryReceiver(entry);
	const objects = await startObjectStore({ objects: { "v.mp4": await sampleVideo() } });
	try {
		const server = await receiver.serve("--grpc", "127.0.0.1:0");
		const link = objects.presign("v.mp4", Date.now() + HOUR_MS);
		const newCallback = (track: string): Callback =>
			sampleCallback({ track_info: track, download_url: link, expire_time: Date.now() + HOUR_MS });
		const load = startLoad(server.address, newCallback);
		const backUp = async (name: string): Promise<Taken> => {
			const copy = join(receiver.directory, "..", name);
			const before = [...load.acknowledged.keys()];
			const result = await receiver.run("backup", "--to", copy, "--json");
			return { copy, before, result };
		};
		await expect.poll(() => load.acknowledged.size, { timeout: 5000 }).toBeGreaterThan(50);
		const first = await backUp("first");
		cpSync(first.copy, join(receiver.directory, "..", "brought-up-to-date"), { recursive: true });
		const second = await backUp("second");
		const third = await backUp("brought-up-to-date");
		await load.end();
		const source = await receiver.events();
		expect(source.length).toBeGreaterThan(load.acknowledged.size);

		await expect(serveCopy(first.copy)).rejects.toThrow(/keys\.json is missing/);
		const { stdout } = await runCommand(entry, ["events", "--data", first.copy]);
		const printed = stdout.trim().split("\n");
		expect(printed.map((line) => JSON.parse(line))).toEqual(source.slice(0, printed.length));
		const taken = [first, second, third];
		const sizes = await Promise.all(taken.map((one) => expectRestored(one, source, newCallback)));
		expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
		expect(new Set(sizes).size).toBe(3);
		const [fresh, upToDate] = [second, third].map(({ result }) => JSON.parse(result.stdout));
		expect(fresh.copiedBytes).toBe(fresh.bytes);
		expect(upToDate.copiedBytes).toBeLessThan(upToDate.bytes);
		expect(upToDate.removedVideos).toBe(0);
	} finally {
		await receiver.dispose();
		await objects.close();
	}

	/** Looks at the copy, then starts a server on it; resolves with how many events it has. */
	async function expectRestored(
		{ copy, before, result }: Taken,
		source: readonly PrintedEvent[],
		newCallback: (track: string) => Callback,
	): Promise<number> {
		expect(result).toMatchObject({ code: 0, stderr: expect.stringMatching(PROGRESS) });
		const told = JSON.parse(result.stdout);
		const keyFile = join(receiver.directory, "keys.json");
		expect(told).toMatchObject({ keys: false, keyFile });
		const events = await eventsIn(copy);
		expect(events).toEqual(source.slice(0, events.length));
		expect(events.at(-1)?.position).toBe(told.position);
		const tracks = tracksOf(events);
		expect(new Set(tracks).size).toBe(tracks.length);
		expect(before.filter((track) => !tracks.includes(track))).toEqual([]);
		expectVideos(copy, events);
		for (const file of readdirSync(join(copy, "checkpoints"))) {
			const { position } = JSON.parse(readFileSync(join(copy, "checkpoints", file), "utf8"));
			expect(Number(position)).toBeLessThanOrEqual(events.length);
		}

		copyFileSync(keyFile, join(copy, "keys.json"));
		const restored = await serveCopy(copy);
		try {
			const known = newCallback(String(before.at(-1)));
			expect(await outcomeOf(restored.grpcAddress, known)).toBe(ReportOutcome.ALREADY_REPORTED);
			expect(await outcomeOf(restored.grpcAddress, newCallback("after"))).toBe(ReportOutcome.REPORTED);
			expect(await report(restored.address, newCallback("after-http"))).toBe(true);
			const after = await eventsIn(copy);
			expect(after.slice(0, events.length)).toEqual(events);
			expect(tracksOf(after).toSorted()).toEqual([...tracks, "after", "after-http"].toSorted());
			expect(await restored.stop()).toBe(0);
		} finally {
			await restored.stop("SIGKILL");
		}
		return events.length;
	}
});

/** That every video that an event tells of is there as it was archived. */
function expectVideos(copy: string, events: readonly PrintedEvent[]): void {
	const archived = events.filter(({ type }) => type === "RecordingArchived");
	expect(archived.length).toBeGreaterThan(0);
	for (const { data } of archived) {
		const { location, bytes, sha256 } = data.receipt as { location: string; bytes: number; sha256: string };
		const video = readFileSync(join(copy, location));
		expect(video.length).toBe(bytes);
		expect(createHash("sha256").update(video).digest("hex")).toBe(sha256);
	}
}

test("a backup says what it has, where the keys are, and takes them only when asked", async () => {
	const receiver = temporaryReceiver(entry);
	try {
		const to = join(receiver.directory, "..", "copy");
		const wrong = [["--to", to], [], ["--to", ""]].map((flags) => receiver.run("backup", ...flags));
		expect((await Promise.all(wrong)).map(({ code, stderr }) => [code, stderr])).toEqual([
			[1, expect.stringContaining(`there is no event store in ${receiver.directory}`)],
			[2, expect.stringContaining("where to? Give --to DIR")],
			[2, expect.stringContaining("where to? Give --to DIR")],
		]);
		const server = await receiver.serve();
		await report(server.address, sampleCallback());
		const both = join(receiver.directory, "..", "with-keys");
		const [said, withKeys, elsewhere, inside] = await Promise.all([
			receiver.run("backup", "--to", to),
			receiver.run("backup", "--to", both, "--with-keys"),
			receiver.run("backup", "--to", `${to}-2`, "--no-videos", "--key-file", "/nowhere/keys"),
			receiver.run("backup", "--to", join(receiver.directory, "copy")),
		]);
		expect(said).toMatchObject({ code: 0, stderr: expect.stringMatching(PROGRESS) });
		expect(said.stdout).toMatch(/^\S+copy is \S+data as it was at 2\S+Z\n/);
		expect(said.stdout).toMatch(
			/events up to position \d [(]1 segment[)], \d checkpoints?, 0 videos: [\d.]+ \w+, of which/,
		);
		expect(said.stdout).toContain(`not in it: back up ${receiver.directory}/keys.json apart; without it`);
		expect(existsSync(join(to, "keys.json"))).toBe(false);
		expect(elsewhere.stdout).toContain("no videos");
		expect(elsewhere.stdout).toContain("nor in /nowhere/keys: back up the --key-file of the server, apart");
		expect([inside.code, inside.stderr]).toEqual([
			1,
			expect.stringMatching(/^reelkeep: .*lies in the store in/),
		]);
		expect(withKeys.stdout).toContain("the keys are in it: keep it as secret as");
		expect(readFileSync(join(both, "keys.json"))).toEqual(
			readFileSync(join(receiver.directory, "keys.json")),
		);
		expect(statSync(join(both, "keys.json")).mode & 0o777).toBe(0o600);
		const revealed = ["events", "--data", both, "--reveal-links"];
		expect((await runCommand(entry, revealed, { secret: true })).stdout).toContain("Signature=");
	} finally {
		await receiver.dispose();
	}
});

test("a backup that a signal ends says so, and goes on when it is run again", async () => {
	const receiver = temporaryReceiver(entry);
	try {
		await (await receiver.serve()).stop();
		const name = "ab".repeat(32);
		const video = join(receiver.directory, "videos/ab", `${name}.mp4`);
		mkdirSync(join(receiver.directory, "videos/ab"));
		writeFileSync(video, "");
		chmodSync(video, 0o600);
		// A hole, which takes no room here, and long to copy.
		truncateSync(video, 400 * 1024 * 1024);
		const targets = { SIGTERM: 143, SIGINT: 130 } as const;
		const toOf = (signal: string) => join(receiver.directory, "..", signal);
		const ends = Object.entries(targets).map(async ([signal, expected]) => {
			const to = toOf(signal);
			const child = spawn(process.execPath, [entry, "backup", ...receiver.data, "--to", to]);
			let stderr = "";
			child.stderr.on("data", (chunk) => {
				stderr += chunk;
			});
			const closed = new Promise((resolve) => child.once("close", resolve));
			const isCopying = () => existsSync(join(to, "videos/partial"));
			await expect.poll(isCopying, { timeout: 10_000, interval: 5 }).toBe(true);
			child.kill(signal as NodeJS.Signals);
			expect(await closed).toBe(expected);
			expect(stderr).toMatch(
				/^(\S+ \w+ of 400.0 MiB\n)*reelkeep: the backup is not whole; run the same command again, and it goes on\n$/,
			);
			expect(readdirSync(to)).toContain("backup.partial.json");
		});
		await Promise.all(ends);
		truncateSync(video, 1024);
		const to = toOf("SIGINT");
		expect(await receiver.run("backup", "--to", to)).toMatchObject({ code: 0 });
		expect(readdirSync(to)).toContain("backup.json");
		expect(readdirSync(join(to, "videos/partial"))).toEqual([]);
	} finally {
		await receiver.dispose();
	}
});
