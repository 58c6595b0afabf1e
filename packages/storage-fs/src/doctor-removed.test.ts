import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { filled, inspect, lastOf, mend, openScene, recordingOf } from "./test-doctor.js";

/** A video that was kept, is gone, and was told as removed; `isGivenUp`: its recording rests by then. */
async function removed({ isGivenUp }: { readonly isGivenUp: boolean }) {
	let location = "";
	const directory = await filled(async ({ archive }) => {
		({ location } = await archive("a"));
	});
	await rename(join(directory, location), join(directory, "elsewhere"));
	await mend(directory);
	expect(await lastOf(directory, "a")).toMatchObject({ type: "VideoRemoved" });
	if (isGivenUp) await giveUp(directory);
	return { directory, path: join(directory, location), elsewhere: join(directory, "elsewhere") };
}
const giveUp = async (directory: string): Promise<void> => {
	const scene = await openScene(directory);
	await scene.giveUp("a", "ExpireLink");
	await scene.close();
};

describe("a file in a removed video's place", () => {
	test("is the video again, with the receipt that it had, when it has its bytes", async () => {
		const { directory, path, elsewhere } = await removed({ isGivenUp: true });
		await rename(elsewhere, path);
		expect(await mend(directory)).toMatchObject({
			found: { findings: [{ _tag: "Untold", state: "expired" }] },
			mendings: [{ _tag: "Mended" }],
		});
		expect(await recordingOf(directory, "a")).toMatchObject({
			state: "archived",
			receipt: { bytes: "video of a".length, lengthVerified: true },
		});
		expect((await inspect(directory, { hashes: true })).findings).toEqual([]);
	});

	test.each([true, false])(
		"is moved aside when it was cut short, and nothing is told (given up: %s)",
		async (isGivenUp) => {
			const { directory, path } = await removed({ isGivenUp });
			await writeFile(path, "vid");
			const { found, mendings } = await mend(directory);
			expect(found.findings).toMatchObject([{ _tag: "Damaged", isKept: false, isFile: true, stream: "a" }]);
			expect(mendings).toMatchObject([{ _tag: "Mended", aside: expect.stringContaining("videos/damaged/") }]);
			expect(await recordingOf(directory, "a")).toMatchObject({ state: isGivenUp ? "expired" : "pending" });
			expect((await inspect(directory)).findings).toEqual([]);
		},
	);

	test("is moved aside when it has as many bytes, and others", async () => {
		const { directory, path, elsewhere } = await removed({ isGivenUp: true });
		await rm(elsewhere);
		await writeFile(path, "VIDEO of a");
		expect(await mend(directory)).toMatchObject({
			found: { findings: [{ _tag: "Untold" }] },
			mendings: [{ _tag: "Mended", aside: expect.stringContaining("videos/damaged/") }],
		});
		expect(await recordingOf(directory, "a")).toMatchObject({ state: "expired" });
	});
});
