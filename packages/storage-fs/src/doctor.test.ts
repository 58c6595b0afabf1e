import { access, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execute } from "@reelkeep/core";
import { describe, expect, test } from "vitest";
import { inspectFsVideos } from "./doctor.js";
import { safeName } from "./safe-name.js";
import { scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import {
	DEADLINE,
	fileSystem,
	filled,
	flipByte,
	ids,
	inspect,
	lastOf,
	mend,
	ownership,
	partialFiles,
	recordingOf,
	withStore,
} from "./test-doctor.js";
import { collect, rejection } from "./test-store.js";
import { sha256 } from "./test-videos.js";
import { isWrongFinding } from "./video-findings.js";
import { createFsVideoStore } from "./video-store.js";

describe("a store whose log and videos agree", () => {
	test("has no findings, and is told what was compared; mending it changes nothing", async () => {
		const directory = await filled(async (scene) => {
			await scene.archive("a");
			await scene.archive("b");
			await scene.report("pending");
			await scene.suspend("pending");
			await scene.report("lost");
			await scene.giveUp("lost", "ExpireLink");
		});
		const seen: unknown[] = [];
		const options = { directory, ownership, fileSystem, hashes: true };
		const inspection = await inspectFsVideos({ ...options, onProgress: (progress) => seen.push(progress) });
		expect(inspection).toEqual({
			isOwned: false,
			position: "7",
			recordings: 4,
			archived: 2,
			archivedElsewhere: 0,
			files: 2,
			bytes: 20,
			hashed: 2,
			unfinished: 1,
			findings: [],
		});
		expect(seen.at(-1)).toEqual({ videos: 2, of: 2, bytes: 20 });
		const before = await withStore(directory, async (store) => collect(store.readAll()));
		expect((await mend(directory, { hashes: true })).mendings).toEqual([]);
		expect(await withStore(directory, async (store) => collect(store.readAll()))).toEqual(before);
		expect((await partialFiles(directory)).length).toBe(2);
	});

	test("may keep videos elsewhere, which are not looked for", async () => {
		const directory = await filled(async ({ report, store }) => {
			await report("a");
			const receipt = { location: "s3://bucket/a", bytes: 1, sha256: "00", lengthVerified: true };
			const command = { _tag: "ArchiveRecording", receipt, adopted: false } as const;
			await execute({ store, ids }, "a", command, { metadata: {} });
		});
		expect(await inspect(directory)).toMatchObject({ archived: 0, archivedElsewhere: 1, findings: [] });
	});

	test("is not made where there is none", async () => {
		const directory = await temporaryDirectory();
		for (const work of [inspect, mend])
			expect(await rejection(work(directory))).toMatchObject({ reason: "io" });
		expect(await readdir(directory)).toEqual([]);
	});
});

describe("a video that the log says to be kept", () => {
	test("and that is missing is told as removed, once: its recording is pending again", async () => {
		const directory = await filled(({ archive }) => archive("a"));
		const { receipt } = await recordingOf(directory, "a");
		const location = receipt?.location ?? "";
		await rm(join(directory, location));
		const finding = { _tag: "Missing", location, stream: "a", deadline: DEADLINE };
		expect((await inspect(directory)).findings).toEqual([finding]);
		expect(await mend(directory)).toMatchObject({
			found: { findings: [finding] },
			mendings: [{ _tag: "Mended" }],
		});
		expect(await lastOf(directory, "a")).toMatchObject({
			type: "VideoRemoved",
			data: { location, cause: "missing", linkFingerprint: "link", deadline: { at: DEADLINE } },
			metadata: { ingress: "doctor", correlationId: "about a" },
		});
		expect(await recordingOf(directory, "a")).toMatchObject({ state: "pending" });
		expect((await mend(directory)).found.findings).toEqual([]);
	});

	test("and that has another length, or other bytes, is kept aside and told as removed", async () => {
		const directory = await filled(async ({ archive }) => {
			await archive("short");
			await archive("changed");
			await archive("sound");
		});
		const path = async (stream: string) =>
			join(directory, (await recordingOf(directory, stream)).receipt?.location ?? "");
		const [short, changed, sound] = [await path("short"), await path("changed"), await path("sound")];
		await truncate(short, 5);
		await flipByte(changed);
		const damaged = await readFile(changed);
		// Only who reads every byte sees it.
		expect((await inspect(directory)).findings).toMatchObject([
			{ _tag: "Damaged", stream: "short", problem: "it has 5 bytes, and its receipt says 14" },
		]);
		const { found, mendings } = await mend(directory, { hashes: true });
		expect(found.findings).toMatchObject([
			{ _tag: "Damaged", stream: "short" },
			{ _tag: "Damaged", stream: "changed", problem: "its SHA-256 is not that of its receipt" },
		]);
		const asides = mendings.map((mending) => (mending._tag === "Mended" ? (mending.aside ?? "") : ""));
		expect(await readFile(join(directory, asides[1] ?? ""))).toEqual(damaged);
		expect((await readdir(join(directory, "videos/damaged"))).length).toBe(2);
		await expect(access(changed)).rejects.toThrow("ENOENT");
		await access(sound);
		expect(await lastOf(directory, "changed")).toMatchObject({
			type: "VideoRemoved",
			data: { cause: "damaged", message: expect.stringContaining(`kept as ${asides[1]}`) },
		});
		expect((await inspect(directory, { hashes: true })).findings).toEqual([]);
	});

	test("and whose disk cannot read it is damaged; that files cannot be opened at all says nothing", async () => {
		const directory = await filled(({ archive }) => archive("a"));
		const disk = scriptedDisk(fileSystem);
		const failReading = (code: string) => {
			disk.before = ({ operation, path }) => {
				if (operation === "read" && path.endsWith(".mp4")) throw systemError(code);
			};
		};
		failReading("EIO");
		expect((await inspect(directory, { hashes: true, fileSystem: disk.fileSystem })).findings).toMatchObject([
			{ _tag: "Damaged", problem: "it cannot be read (EIO)" },
		]);
		failReading("EMFILE");
		expect(await rejection(inspect(directory, { hashes: true, fileSystem: disk.fileSystem }))).toMatchObject({
			reason: "io",
		});
	});
});

describe("a whole video that the log does not know", () => {
	test("of a recording that is pending is left to the archiver", async () => {
		const directory = await filled(async ({ report, put }) => {
			await report("a");
			await put("a", "video");
		});
		const { found, mendings } = await mend(directory);
		expect(found.findings).toMatchObject([{ _tag: "Untold", state: "pending", stream: "a", bytes: 5 }]);
		expect(mendings).toEqual([{ _tag: "Left" }]);
		expect(await recordingOf(directory, "a")).toMatchObject({ state: "pending" });
	});

	test.each([
		["ExpireLink", "expired"],
		["AbandonArchive", "abandoned"],
	] as const)("of a recording that rests after %s is told as archived", async (command, state) => {
		const directory = await filled(async ({ report, put, giveUp }) => {
			await report("a");
			await giveUp("a", command);
			await put("a", "video");
		});
		expect((await inspect(directory)).findings).toMatchObject([{ _tag: "Untold", state, stream: "a" }]);
		expect((await mend(directory)).mendings).toEqual([{ _tag: "Mended" }]);
		expect(await lastOf(directory, "a")).toMatchObject({
			type: "RecordingArchived",
			data: {
				adopted: true,
				receipt: { bytes: 5, sha256: sha256(Buffer.from("video")), lengthVerified: false },
			},
		});
		expect((await inspect(directory, { hashes: true })).findings).toEqual([]);
	});

	test("of a recording that nobody has reported is left where it is", async () => {
		const directory = await filled(async ({ put }) => put("a", "video"));
		const { found, mendings } = await mend(directory);
		expect(found.findings).toMatchObject([{ _tag: "Untold", state: "unknown", bytes: 5 }]);
		expect(mendings).toEqual([{ _tag: "Left" }]);
		await access(join(directory, (found.findings[0] as { location: string }).location));
	});
});

describe("what uploads left", () => {
	const leave = () =>
		filled(async ({ report, archive, giveUp, suspend, videos }) => {
			await report("pending");
			await suspend("pending");
			await archive("kept");
			await suspend("kept");
			await report("expired");
			await suspend("expired");
			await giveUp("expired", "ExpireLink");
			await suspend("unknown");
			const unmarked = await videos.begin("pending too", { note: "n" });
			await unmarked.write(Buffer.from("cut short"));
		});

	test("is removed unless a recording that is pending goes on with it", async () => {
		const directory = await leave();
		const noteAlone = `${safeName("pending")}.${"0".repeat(16)}.note`;
		await writeFile(join(directory, "videos/partial", noteAlone), "x");
		const inspection = await inspect(directory);
		const leftovers = inspection.findings.map((finding) =>
			finding._tag === "Leftover" ? finding : undefined,
		);
		expect(leftovers.map((leftover) => `${leftover?.why} ${leftover?.stream}`).sort()).toEqual([
			"kept kept",
			"rested expired",
			"unknown undefined",
			"useless pending",
			"useless undefined",
		]);
		expect(
			leftovers
				.filter(({ why } = {} as never) => why === "useless")
				.map((it) => it?.bytes)
				.sort(),
		).toEqual([1, 9]);
		expect(inspection.unfinished).toBe(1);
		expect((await partialFiles(directory)).length).toBe(10);
		expect((await mend(directory)).mendings).toEqual(Array(5).fill({ _tag: "Mended" }));
		expect((await partialFiles(directory)).map((name) => name.split(".")[0])).toEqual(
			Array(2).fill(safeName("pending")),
		);
		const store = createFsVideoStore({ directory, fileSystem });
		await store.start();
		expect(await store.findPartial("pending")).toMatchObject({ bytes: 4 });
	});

	test("is wrong only where no crash, and no running owner, explains it", async () => {
		const { findings } = await inspect(await leave());
		const wrong = (isOwned: boolean) => findings.filter((finding) => isWrongFinding(finding, isOwned)).length;
		expect([wrong(false), wrong(true)]).toEqual([2, 0]);
	});

	test("and that cannot be read is let alone", async () => {
		const directory = await filled(({ suspend }) => suspend("unknown"));
		const disk = scriptedDisk(fileSystem);
		disk.before = ({ operation, path }) => {
			if (operation === "open" && path.endsWith(".note")) throw systemError("EMFILE");
		};
		const { found, mendings } = await mend(directory, { fileSystem: disk.fileSystem });
		expect(found.findings).toMatchObject([{ _tag: "Leftover", why: "unreadable" }]);
		expect(mendings).toEqual([{ _tag: "Left" }]);
		expect((await partialFiles(directory)).length).toBe(2);
	});
});
