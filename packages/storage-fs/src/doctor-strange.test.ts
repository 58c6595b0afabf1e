// What a restore, a hand or a broken disk has left where the files of videos should be.

import { execFile } from "node:child_process";
import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { safeName } from "./safe-name.js";
import { scriptedDisk, systemError } from "./test-disk.js";
import {
	DEADLINE,
	fileSystem,
	filled,
	inspect,
	lastOf,
	mend,
	partialFiles,
	recordingOf,
} from "./test-doctor.js";
import { rejection } from "./test-store.js";
import { startVideos } from "./test-videos.js";
import { placeOf } from "./video-place.js";

const NO_FILES: readonly (readonly [what: string, make: (path: string) => Promise<unknown>])[] = [
	["a directory", (path) => mkdir(path)],
	["a pipe", (path) => promisify(execFile)("mkfifo", [path])],
	["a link to nothing", (path) => symlink("/nowhere/video.mp4", path)],
	["a link to itself", (path) => symlink(path, path)],
];
const PROBLEM = expect.stringContaining("it is no file");

async function replaceBy(directory: string, stream: string, make: (path: string) => Promise<unknown>) {
	const { path, folder, location } = placeOf(directory, safeName(stream));
	await rm(path, { force: true });
	await mkdir(folder, { recursive: true });
	await make(path);
	return location;
}
const asides = (directory: string) => readdir(join(directory, "videos/damaged"));

describe.each(NO_FILES)("%s in the place of a video", (_what, make) => {
	test("that is kept is damaged: it is moved aside, and told as removed", { timeout: 10_000 }, async () => {
		const directory = await filled(async ({ archive }) => {
			await archive("a");
			await archive("sound");
		});
		const location = await replaceBy(directory, "a", make);
		const damaged = {
			_tag: "Damaged",
			location,
			stream: "a",
			deadline: DEADLINE,
			isKept: true,
			isFile: false,
			problem: PROBLEM,
		};
		expect(await inspect(directory)).toMatchObject({ files: 1, findings: [damaged] });
		const { found, mendings } = await mend(directory, { hashes: true });
		expect(found).toMatchObject({ hashed: 1, findings: [damaged] });
		expect(mendings).toMatchObject([{ _tag: "Mended" }]);
		expect((await asides(directory)).length).toBe(1);
		expect(await lastOf(directory, "a")).toMatchObject({ type: "VideoRemoved", data: { cause: "damaged" } });
		expect((await inspect(directory, { hashes: true })).findings).toEqual([]);
	});

	test("that is not kept is in the way of it: it is moved aside, and nothing is told", async () => {
		const directory = await filled(async ({ report, suspend }) => {
			await report("a");
			await suspend("a");
		});
		const location = await replaceBy(directory, "a", make);
		await replaceBy(directory, "nobody's", make);
		const store = await startVideos(directory);
		const { resumeToken } = (await store.findPartial("a")) ?? { resumeToken: "" };
		const work = await store.begin("a", { resume: { resumeToken } });
		expect(await rejection(work.commit())).toMatchObject({
			reason: "io",
			message: expect.stringMatching(`no file .* in the way of ${location}`),
		});
		await work.suspend();
		const { found, mendings } = await mend(directory);
		expect(found).toMatchObject({ unfinished: 1 });
		expect(new Set(found.findings)).toEqual(
			new Set([
				{
					_tag: "Damaged",
					location,
					stream: "a",
					deadline: DEADLINE,
					isKept: false,
					isFile: false,
					problem: PROBLEM,
				},
				{
					_tag: "Damaged",
					...placeOfNobody(directory),
					deadline: 0,
					isKept: false,
					isFile: false,
					problem: PROBLEM,
				},
			]),
		);
		expect(mendings).toMatchObject(
			Array(2).fill({ _tag: "Mended", aside: expect.stringContaining(".mp4-") }),
		);
		expect(await recordingOf(directory, "a")).toMatchObject({ state: "pending" });
		expect(await lastOf(directory, "a")).toMatchObject({ type: "RecordingReported" });
		const next = await startVideos(directory);
		expect(await next.findPartial("a")).toMatchObject({ bytes: 4 });
		const resumed = await next.begin("a", { resume: { resumeToken } });
		expect(await resumed.commit()).toMatchObject({ _tag: "Committed" });
	});
});
const placeOfNobody = (directory: string) => ({
	location: placeOf(directory, safeName("nobody's")).location,
});

test("a link to a whole video elsewhere is that video", async () => {
	const directory = await filled(({ archive }) => archive("a"));
	const { path } = placeOf(directory, safeName("a"));
	await rename(path, join(directory, "elsewhere.mp4"));
	await symlink(join(directory, "elsewhere.mp4"), path);
	expect(await inspect(directory, { hashes: true })).toMatchObject({ files: 1, findings: [] });
});

describe("what cannot be looked at is named, below the data directory", () => {
	test.each([
		["open", ".mp4", false],
		["read", ".mp4", true],
	] as const)("where a video fails to %s", async (failing, ending, hashes) => {
		const directory = await filled(({ archive }) => archive("a"));
		const disk = scriptedDisk(fileSystem);
		disk.before = ({ operation, path }) => {
			if (operation === failing && path.endsWith(ending)) throw systemError("EACCES");
		};
		const { location } = placeOf(directory, safeName("a"));
		for (const work of [inspect, mend])
			expect(await rejection(work(directory, { hashes, fileSystem: disk.fileSystem }))).toMatchObject({
				reason: "io",
				message: expect.stringMatching(`${location} failed \\(EACCES\\): this user must be able to read`),
			});
	});

	test("where a file lies in the place of a folder of videos", async () => {
		const directory = await filled(({ archive }) => archive("a"));
		await writeFile(join(directory, "videos/zz"), "is none");
		await writeFile(join(directory, "videos/00"), "");
		expect(await rejection(inspect(directory))).toMatchObject({
			message: expect.stringMatching(/videos\/00 failed \(ENOTDIR\): a directory is needed/),
		});
		await rm(join(directory, "videos/00"));
		await rm(join(directory, "videos/partial"), { recursive: true });
		await writeFile(join(directory, "videos/partial"), "");
		expect(await rejection(inspect(directory))).toMatchObject({
			message: expect.stringMatching(/videos\/partial failed \(ENOTDIR\)/),
		});
	});
});

test("a directory called as a file of an upload is listed, and not mended", async () => {
	const directory = await filled(({ report, suspend }) => report("a").then(() => suspend("a")));
	const [note = ""] = (await partialFiles(directory)).filter((file) => file.endsWith(".note"));
	const part = join(directory, "videos/partial", note.replace(".note", ".part"));
	await rm(part);
	await mkdir(part);
	await writeFile(join(part, "inside"), "x");
	const { found, mendings } = await mend(directory);
	expect(found.findings).toMatchObject([{ _tag: "Leftover", why: "unreadable", stream: "a" }]);
	expect(mendings).toEqual([{ _tag: "Left" }]);
});

test("a directory that is all there is of an upload is listed, and says why it was not removed", async () => {
	const directory = await filled(({ report }) => report("a"));
	await mkdir(join(directory, "videos/partial", `${safeName("a")}.${"b".repeat(16)}.part`));
	const { found, mendings } = await mend(directory);
	expect(found.findings).toMatchObject([{ _tag: "Leftover", why: "useless", stream: "a" }]);
	expect(mendings).toMatchObject([{ _tag: "Failed", message: expect.stringContaining("EISDIR") }]);
});
