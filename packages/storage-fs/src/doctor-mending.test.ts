import { readdir, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inspectFsVideos, mendFsVideos } from "./doctor.js";
import { createSocketOwnership } from "./socket-ownership.js";
import { scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import { fileSystem, filled, mend, recordingOf } from "./test-doctor.js";
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
