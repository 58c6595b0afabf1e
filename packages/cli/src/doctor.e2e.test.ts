// `reelkeep doctor` on directories that a real server has filled from an origin on loopback, and that were damaged since.

import {
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand, type ServeProcess } from "@reelkeep/harness/reelkeep-process";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { putSlowVideo } from "@reelkeep/harness/slow-videos";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { type ObjectStore, sampleCallback, signedRequest, startObjectStore } from "@reelkeep/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const LOOPBACK = ["--allow-host", "127.0.0.1", "--allow-private-network"];
const LIFETIME_MS = 3_600_000;
const PATIENCE = { timeout: 30_000, interval: 100 };

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

const contentOf = (track: string): Buffer => Buffer.from(`video ${track} `.repeat(1000));

async function report(server: ServeProcess, track: string, url: string): Promise<void> {
	const expireTime = Date.now() + LIFETIME_MS;
	const requestParam = JSON.stringify(
		sampleCallback({ track_info: track, download_url: url, expire_time: expireTime }),
	);
	const request = signedRequest({
		secret: TEST_SECRET,
		appKey: TEST_APP_KEY,
		now: Date.now(),
		requestParam,
	});
	expect((await sendRaw(server.address, request)).body).toContain('"consume_state":1');
}

async function until(track: string, state: string): Promise<Readonly<Record<string, unknown>>> {
	return vi.waitFor(async () => {
		const [recording] = await receiver.recordings("--track", track);
		expect(recording?.state).toBe(state);
		return recording as Readonly<Record<string, unknown>>;
	}, PATIENCE);
}

/** Reports these tracks to a server and waits until their videos are kept; resolves with the paths of these. */
async function keep(server: ServeProcess, tracks: readonly string[]): Promise<readonly string[]> {
	for (const track of tracks) {
		origin.put(`${track}.mp4`, contentOf(track));
		await report(server, track, origin.presign(`${track}.mp4`, Date.now() + LIFETIME_MS));
	}
	return Promise.all(tracks.map(async (track) => String((await until(track, "archived")).video)));
}

describe("reelkeep doctor", () => {
	test("finds what is wrong with kept videos, mends it, and the next server brings them back from their live links", async () => {
		const first = await receiver.serve();
		const tracks = ["missing", "short", "changed", "sound"];
		const [missing = "", short = "", changed = "", sound = ""] = await keep(first, tracks);
		const beside = await receiver.run("doctor", "--hashes");
		expect([beside.code, beside.stdout]).toEqual([
			0,
			expect.stringMatching(
				/^4 recordings up to position \d+, of which 4 are archived here\n4 videos, 0\.\d MiB; the SHA-256 of 4 compared with their receipts\nlog and videos agree\n$/,
			),
		]);
		const refused = await receiver.run("doctor", "--fix");
		expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("is in use by process") });
		expect(await first.stop()).toBe(0);

		rmSync(missing);
		truncateSync(short, 100);
		const bytes = readFileSync(changed);
		bytes.write("X", 500);
		writeFileSync(changed, bytes);
		const looked = await receiver.run("doctor");
		expect(looked.code).toBe(1);
		expect(looked.stdout).toMatch(
			/^missing: videos\/\S+\.mp4 of recording-\S+: the log says that it is kept$/m,
		);
		expect(looked.stdout).toMatch(/^damaged: \S+ of \S+: it has 100 bytes, and its receipt says \d+$/m);
		expect(looked.stdout).toMatch(/2 wrong; nothing was changed\. To mend it: run `reelkeep doctor --fix`/);
		const json = JSON.parse((await receiver.run("doctor", "--hashes", "--json")).stdout);
		expect(json).toMatchObject({ sound: false, isOwned: false, archived: 4, files: 3, hashed: 3 });
		expect(json.findings.map(({ _tag }: { _tag: string }) => _tag).sort()).toEqual([
			"Damaged",
			"Damaged",
			"Missing",
		]);

		const mended = await receiver.run("doctor", "--hashes", "--fix");
		expect(
			mended.stdout.match(/^ {2}mended: .*told as VideoRemoved: `serve` or `archive` downloads/gm)?.length,
		).toBe(3);
		expect(mended.stdout).toMatch(/log and videos agree\n$/);
		expect(mended.code).toBe(0);
		const asides = readdirSync(join(receiver.directory, "videos/damaged"));
		expect(asides.length).toBe(2);
		const kept = asides.map((name) => readFileSync(join(receiver.directory, "videos/damaged", name)));
		expect(kept.some((each) => each.equals(bytes))).toBe(true);
		expect(
			(await receiver.recordings("--state", "pending")).map(({ trackInfo }) => trackInfo).sort(),
		).toEqual(["changed", "missing", "short"]);

		const second = await receiver.serve();
		for (const track of tracks) await until(track, "archived");
		for (const [at, path] of [missing, short, changed, sound].entries()) {
			expect(readFileSync(path).equals(contentOf(tracks[at] ?? ""))).toBe(true);
		}
		expect((await receiver.run("doctor", "--hashes")).code).toBe(0);
		expect(await second.stop()).toBe(0);
	});

	test("gives a recording that rests without its video the whole file that is there, and keeps one that nobody knows", async () => {
		const first = await receiver.serve();
		const [path = ""] = await keep(first, ["kept"]);
		// A link that has died, and the video all the same: its process was killed before it could say so.
		await report(first, "expired", origin.presign("expired.mp4", Date.now() - LIFETIME_MS));
		const { stream } = await until("expired", "expired");
		expect(await first.stop()).toBe(0);
		const name = await safeNameOf(String(stream));
		const untold = join(receiver.directory, "videos", name.slice(0, 2), `${name}.mp4`);
		const unknown = join(receiver.directory, "videos", "ab", `${"ab".repeat(32)}.mp4`);
		for (const file of [untold, unknown]) cpSync(path, file);

		const looked = await receiver.run("doctor");
		expect(looked.code).toBe(1);
		expect(looked.stdout).toContain("is whole, and the log says that its recording expired without it");
		const mended = await receiver.run("doctor", "--fix");
		expect(mended.stdout).toContain("mended: told as RecordingArchived");
		expect(mended.stdout).toContain("left: it may be the only copy");
		expect(mended.stdout).toMatch(/1 not mended\n$/);
		expect(mended.code).toBe(1);
		expect(existsSync(unknown)).toBe(true);
		expect(await until("expired", "archived")).toMatchObject({ bytes: contentOf("kept").length });
		rmSync(unknown);
		expect((await receiver.run("doctor", "--hashes")).code).toBe(0);
	});

	test("takes no half download for a fault, whether it goes on or was killed; archive goes on with it", async () => {
		const first = await receiver.serve();
		const video = await putSlowVideo(origin, { name: "slow.mp4", extraBytes: 3 * 1024 * 1024, slowTimes: 1 });
		await report(first, "slow", video.link.url);
		const partials = join(receiver.directory, "videos/partial");
		await vi.waitFor(() => expect(readdirSync(partials).length).toBe(2), PATIENCE);
		const beside = await receiver.run("doctor");
		expect(beside).toMatchObject({
			code: 0,
			stdout: expect.stringContaining("1 unfinished downloads of the running"),
		});
		await first.stop("SIGKILL");
		const after = await receiver.run("doctor");
		expect(after).toMatchObject({
			code: 0,
			stdout: expect.stringContaining("1 unfinished downloads, with which the next start goes on"),
		});
		// Of a recording that nobody knows: no attempt will ever ask for it.
		const [part = ""] = readdirSync(partials).filter((file) => file.endsWith(".part"));
		const orphan = join(partials, `${"cd".repeat(32)}.${"0".repeat(16)}.part`);
		cpSync(join(partials, part), orphan);
		const mended = await receiver.run("doctor", "--fix");
		expect(mended.stdout).toMatch(/^left over: videos\/partial\/cdcd\S+\.part \(.*\n {2}mended: removed$/m);
		expect([mended.code, existsSync(orphan), readdirSync(partials).length]).toEqual([0, false, 2]);

		const archived = await receiver.run("archive", ...LOOPBACK);
		expect(archived).toMatchObject({ code: 0, stdout: "1 archived, 0 lost, 0 pending\n" });
		expect(origin.asked("slow.mp4").some(({ range }) => range !== undefined)).toBe(true);
		const [recording] = await receiver.recordings();
		expect(recording).toMatchObject({ bytes: video.bytes, sha256: video.sha256 });
		expect((await receiver.run("doctor", "--hashes")).code).toBe(0);
	});

	test("believes that every video is gone only when it is told so", async () => {
		const first = await receiver.serve();
		const paths = await keep(first, ["one", "two"]);
		expect(await first.stop()).toBe(0);
		const [videos, elsewhere] = [join(receiver.directory, "videos"), join(receiver.directory, "unmounted")];
		renameSync(videos, elsewhere);
		mkdirSync(videos);
		const heldBack = await receiver.run("doctor", "--fix");
		expect(
			heldBack.stdout.match(/^ {2}not mended: each of the 2 videos that are kept is missing/gm)?.length,
		).toBe(2);
		expect(heldBack.stdout).toMatch(/2 not mended\nevery kept video is missing, .*--fix --all-missing/);
		expect(heldBack.code).toBe(1);
		const json = JSON.parse((await receiver.run("doctor", "--fix", "--json")).stdout);
		expect(json).toMatchObject({ sound: false, areHeldBack: true });
		expect(await receiver.run("doctor", "--all-missing")).toMatchObject({
			code: 2,
			stderr: expect.stringContaining("--all-missing is about what --fix does"),
		});
		rmSync(videos, { recursive: true });
		renameSync(elsewhere, videos);
		expect(await receiver.run("doctor", "--hashes")).toMatchObject({ code: 0 });

		for (const path of paths) rmSync(path);
		const mended = await receiver.run("doctor", "--fix", "--all-missing");
		expect(mended.stdout.match(/^ {2}mended: told as VideoRemoved/gm)?.length).toBe(2);
		expect([mended.code, mended.stdout]).toEqual([0, expect.stringMatching(/log and videos agree\n$/)]);
		expect(await receiver.run("archive", ...LOOPBACK)).toMatchObject({
			code: 0,
			stdout: "2 archived, 0 lost, 0 pending\n",
		});
	});

	test("moves away what is no file and stands where a video belongs", async () => {
		const first = await receiver.serve();
		await keep(first, ["kept"]);
		expect(await first.stop()).toBe(0);
		const inTheWay = join(receiver.directory, "videos", "ab", `${"ab".repeat(32)}.mp4`);
		mkdirSync(inTheWay, { recursive: true });
		const mended = await receiver.run("doctor", "--fix");
		expect(mended.stdout).toMatch(
			/^damaged: videos\/ab\/\S+: .*\n {2}mended: moved to videos\/damaged\/\S+$/m,
		);
		expect([mended.code, existsSync(inTheWay)]).toEqual([0, false]);
	});

	test("is refused in words without a directory, without a store, and for a damaged log", async () => {
		expect(await runCommand(entry, ["doctor"])).toMatchObject({
			code: 2,
			stderr: expect.stringContaining("which directory?"),
		});
		for (const flags of [[], ["--fix"]]) {
			expect(await receiver.run("doctor", ...flags)).toMatchObject({
				code: 1,
				stderr: expect.stringContaining("there is no event store in"),
			});
		}
		const server = await receiver.serve();
		await keep(server, ["a", "b"]);
		expect(await server.stop()).toBe(0);
		const log = join(receiver.directory, "events/00000001.ndjson");
		const bytes = readFileSync(log);
		bytes.write("?", bytes.indexOf('"trackInfo":"a"'));
		writeFileSync(log, bytes);
		for (const flags of [[], ["--fix"]]) {
			const { code, stderr } = await receiver.run("doctor", ...flags);
			expect([code, stderr]).toEqual([1, expect.stringContaining("reelkeep repair")]);
		}
		expect(readFileSync(log)).toEqual(bytes);
	});
});

/** As the document of the directory says it: `printf '"%s"' "$STREAM" | sha256sum`. */
async function safeNameOf(stream: string): Promise<string> {
	const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`"${stream}"`));
	return Buffer.from(digest).toString("hex");
}
