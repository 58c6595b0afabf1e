import { mkdir, readdir, rename, rm, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inspectFsVideos, mendFsVideos } from "./doctor.js";
import { createSocketOwnership } from "./socket-ownership.js";
import { scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import { fileSystem, filled, inspect, mend, ownership, recordingOf } from "./test-doctor.js";
import { clock, openStore, rejection } from "./test-store.js";

describe("mending", () => {
	test("is refused while somebody owns the directory; looking is not, and then says so", async () => {
		const directory = await temporaryDirectory();
		const store = await openStore(directory, { fileSystem, ownership: createSocketOwnership() });
		expect(await inspectFsVideos({ directory })).toMatchObject({ isOwned: true });
		expect(await rejection(mendFsVideos({ directory, clock }))).toMatchObject({ reason: "owned" });
		await store.close();
	});

	test("that fails for one video says why, and goes on with the others", async () => {
		const directory = await filled(async ({ archive }) => {
			await archive("a");
			await archive("b");
		});
		for (const stream of ["a", "b"]) {
			const { receipt } = await recordingOf(directory, stream);
			await truncate(join(directory, receipt?.location ?? ""), 1);
		}
		const disk = scriptedDisk(fileSystem);
		let renames = 0;
		disk.before = ({ operation, path }) => {
			if (operation !== "rename" || !path.includes("videos/damaged")) return;
			renames += 1;
			if (renames === 1) throw systemError("EROFS");
		};
		const { mendings } = await mend(directory, { fileSystem: disk.fileSystem });
		expect(mendings).toMatchObject([
			{ _tag: "Failed", message: expect.stringContaining("(EROFS)") },
			{ _tag: "Mended" },
		]);
		expect(await recordingOf(directory, "a")).toMatchObject({ state: "archived" });
		expect((await mend(directory)).mendings).toMatchObject([{ _tag: "Mended" }]);
	});

	test("that is cut short behind the move of a file is finished by the next", async () => {
		const directory = await filled(({ archive }) => archive("a"));
		const { receipt } = await recordingOf(directory, "a");
		await truncate(join(directory, receipt?.location ?? ""), 1);
		const disk = scriptedDisk(fileSystem);
		let isMoved = false;
		disk.before = ({ operation, path }) => {
			if (isMoved && operation === "write") throw systemError("ENOSPC");
			isMoved ||= operation === "rename" && path.includes("videos/damaged");
		};
		const { mendings } = await mend(directory, { fileSystem: disk.fileSystem });
		expect(mendings).toMatchObject([{ _tag: "Failed" }]);
		expect((await readdir(join(directory, "videos/damaged"))).length).toBe(1);
		expect(await mend(directory)).toMatchObject({
			found: { findings: [{ _tag: "Missing" }] },
			mendings: [{ _tag: "Mended" }],
		});
		expect(await recordingOf(directory, "a")).toMatchObject({ state: "pending" });
	});
});

describe("a store in which every video is missing", () => {
	const HELD_BACK = { _tag: "Failed", message: expect.stringContaining("mount it") };

	test("looks like one whose volume is not mounted: nothing is told until somebody says so", async () => {
		const directory = await filled(async ({ archive, report, suspend }) => {
			await archive("a");
			await archive("b");
			await report("pending");
			await suspend("unknown");
		});
		await rename(join(directory, "videos"), join(directory, "unmounted"));
		await mkdir(join(directory, "videos"));
		const { found, mendings, areHeldBack } = await mend(directory);
		expect(found.findings).toMatchObject([{ _tag: "Missing" }, { _tag: "Missing" }]);
		expect([mendings, areHeldBack]).toEqual([[HELD_BACK, HELD_BACK], true]);
		expect(await recordingOf(directory, "a")).toMatchObject({ state: "archived" });
		await rm(join(directory, "videos"), { recursive: true });
		await rename(join(directory, "unmounted"), join(directory, "videos"));
		expect((await inspect(directory)).findings).toMatchObject([{ _tag: "Leftover" }]);
	});

	test("looks so, too, when links have led to the volume", async () => {
		const directory = await filled(async ({ archive }) => {
			await archive("a");
			await archive("b");
		});
		for (const stream of ["a", "b"]) {
			const { receipt } = await recordingOf(directory, stream);
			const path = join(directory, receipt?.location ?? "");
			await rm(path);
			await symlink(`/unmounted/${stream}.mp4`, path);
		}
		expect(await mend(directory)).toMatchObject({ mendings: [HELD_BACK, HELD_BACK], areHeldBack: true });
		expect(await recordingOf(directory, "a")).toMatchObject({ state: "archived" });
	});

	test("is mended when that is asked for, and in everything else before", async () => {
		const directory = await filled(async ({ archive, suspend }) => {
			await archive("a");
			await archive("b");
			await suspend("unknown");
		});
		for (const stream of ["a", "b"]) {
			const { receipt } = await recordingOf(directory, stream);
			await rm(join(directory, receipt?.location ?? ""));
		}
		expect((await mend(directory)).mendings).toEqual([HELD_BACK, HELD_BACK, { _tag: "Mended" }]);
		const asked = await mendFsVideos({ directory, ownership, fileSystem, clock, allMissing: true });
		expect(asked).toMatchObject({ mendings: [{ _tag: "Mended" }, { _tag: "Mended" }], areHeldBack: false });
		for (const stream of ["a", "b"])
			expect(await recordingOf(directory, stream)).toMatchObject({ state: "pending" });
	});

	test("is none when a mending that was cut short has moved them aside: their folder is there", async () => {
		const directory = await filled(async ({ archive }) => {
			await archive("a");
			await archive("b");
		});
		for (const stream of ["a", "b"]) {
			const { receipt } = await recordingOf(directory, stream);
			await truncate(join(directory, receipt?.location ?? ""), 1);
		}
		const disk = scriptedDisk(fileSystem);
		disk.before = ({ operation, path }) => {
			if (operation === "write" && path.includes("events/")) throw systemError("EIO");
		};
		const cutShort = await mend(directory, { fileSystem: disk.fileSystem }).catch(() => undefined);
		expect(cutShort?.mendings ?? []).not.toContainEqual(expect.objectContaining({ _tag: "Mended" }));
		expect((await readdir(join(directory, "videos/damaged"))).length).toBe(2);
		const { found, mendings } = await mend(directory);
		expect(found.findings).toMatchObject([{ _tag: "Missing" }, { _tag: "Missing" }]);
		expect(mendings).toEqual([{ _tag: "Mended" }, { _tag: "Mended" }]);
	});

	test("is none as soon as one of them is there, or only one was kept", async () => {
		const directory = await filled(async ({ archive }) => {
			await archive("a");
			await archive("b");
		});
		for (const stream of ["a", "b"]) {
			const { receipt } = await recordingOf(directory, stream);
			await rm(join(directory, receipt?.location ?? ""));
			expect(await mend(directory)).toMatchObject({ mendings: [{ _tag: "Mended" }], areHeldBack: false });
		}
	});
});
