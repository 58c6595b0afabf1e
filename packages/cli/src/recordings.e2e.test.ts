import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "@reelkeep/harness/reelkeep-process";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { sampleCallback, signedRequest } from "@reelkeep/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const HOUR_MS = 3_600_000;

describe("reelkeep recordings refuses, before it looks at the store,", () => {
	const root = mkdtempSync(join(tmpdir(), "reelkeep-recordings-"));
	afterAll(() => rmSync(root, { recursive: true, force: true }));
	const time = /takes a time with its zone, such as 2026-11-23T12:00:00\+08:00/;
	test.each<[readonly string[], RegExp]>([
		[["--limit", "0"], /--limit takes a whole number of at least 1/],
		[["--limit", "ten"], /--limit takes a whole number/],
		[["--after", "x"], /--after takes the cursor of a row, as `reelkeep recordings --json` prints it/],
		[["--after", "12", "--order", "deadline"], /--after takes the cursor of a row.*with the same --order/],
		[["--after", ""], /--after takes/],
		[["--order", "random"], /oldest-first, newest-first, deadline/],
		[["--state", "lost"], /pending, archived, expired, abandoned/],
		[["--deadline-before", "tomorrow"], new RegExp(`--deadline-before ${time.source}`)],
		[["--deadline-after", "2026-11-23"], new RegExp(`--deadline-after ${time.source}`)],
		[["--recorded-before", "2026-11-23T12:00:00"], new RegExp(`--recorded-before ${time.source}`)],
		[["--recorded-after", "-1"], new RegExp(`--recorded-after ${time.source}`)],
	])("%j", async (flags, says) => {
		const { code, stdout, stderr } = await runCommand(entry, ["recordings", "--data", root, ...flags]);
		expect(stderr).toMatch(says);
		expect([code, stdout]).toEqual([2, ""]);
	});
});

describe("reelkeep recordings, beside a running server,", () => {
	const receiver = temporaryReceiver(entry);
	const start = Date.now();
	/** Each with a link that dies earlier than the one before. */
	const callbacks = Array.from({ length: 7 }, (_, index) =>
		sampleCallback({
			track_info: `track-${index % 5}`,
			project_id: index === 6 ? "other-project" : "cg-avatar",
			account_id: `account-${index % 2}`,
			game_id: index < 3 ? "chess" : "go",
			expire_time: start + (20 - index) * HOUR_MS,
			download_url: `https://oss.aliyuncs.com/${index}.mp4?Signature=a-secret`,
		}),
	);
	/** Which of the callbacks are printed, in order. */
	const found = async (...flags: readonly string[]): Promise<readonly number[]> =>
		(await receiver.recordings(...flags)).map(({ object }) => Number(/(\d)\.mp4$/.exec(String(object))?.[1]));

	beforeAll(async () => {
		const { address } = await receiver.serve();
		for (const callback of callbacks) {
			const requestParam = JSON.stringify(callback);
			await sendRaw(
				address,
				signedRequest({ secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam }),
			);
		}
	});
	afterAll(() => receiver.dispose());

	test("prints those of a track, project, account, game and state, and of several at once", async () => {
		expect(await found()).toEqual([0, 1, 2, 3, 4, 5, 6]);
		expect(await found("--track", "track-1")).toEqual([1, 6]);
		expect(await found("--project", "other-project")).toEqual([6]);
		expect(await found("--account", "account-1")).toEqual([1, 3, 5]);
		expect(await found("--game", "chess")).toEqual([0, 1, 2]);
		expect(await found("--game", "go", "--account", "account-0", "--state", "pending")).toEqual([4, 6]);
		expect(await found("--state", "abandoned")).toEqual([]);
		expect(await found("--track", "track-9")).toEqual([]);
	});

	test("prints those of a time, whatever the zone it is given in", async () => {
		const at = (hours: number): string => String(start + hours * HOUR_MS);
		expect(await found("--deadline-before", at(16))).toEqual([5, 6]);
		expect(await found("--deadline-after", at(16), "--deadline-before", at(18))).toEqual([3, 4]);
		const inChina = new Date(start + (16 + 8) * HOUR_MS).toISOString().replace("Z", "+08:00");
		expect(await found("--deadline-after", inChina)).toEqual([0, 1, 2, 3, 4]);
		expect(await found("--recorded-after", at(1))).toEqual([]);
		expect(await found("--recorded-before", at(1), "--recorded-after", at(-1))).toHaveLength(7);
	});

	test("prints them in three orders, page by page, each once", async () => {
		for (const [order, expected] of [
			["oldest-first", [0, 1, 2, 3, 4, 5, 6]],
			["newest-first", [6, 5, 4, 3, 2, 1, 0]],
			["deadline", [6, 5, 4, 3, 2, 1, 0]],
		] as const) {
			const seen: unknown[] = [];
			let after: readonly string[] = [];
			for (let page = 0; page < 3; page += 1) {
				const rows = await receiver.recordings("--order", order, "--limit", "4", ...after);
				seen.push(...rows.map(({ object }) => Number(/(\d)\.mp4$/.exec(String(object))?.[1])));
				if (rows.length < 4) break;
				after = ["--after", String(rows.at(-1)?.cursor)];
			}
			expect(seen).toEqual(expected);
		}
	});

	test("tells of each who played what, when, and what became of it, without its link", async () => {
		const [row] = await receiver.recordings("--limit", "1");
		expect(row).toMatchObject({
			trackInfo: "track-0",
			projectId: "cg-avatar",
			gameId: "chess",
			accountId: "account-0",
			accountDomain: 0,
			state: "pending",
			deadline: new Date(start + 20 * HOUR_MS).toISOString(),
			cursor: expect.stringMatching(/^\d+$/),
		});
		expect(Math.abs(Date.parse(String(row?.recordedAt)) - start)).toBeLessThan(HOUR_MS);
		expect(JSON.stringify(row)).not.toMatch(/a-secret|Signature/);
	});

	test("says below a table how to go on, when there is more", async () => {
		const part = await receiver.run("recordings", "--limit", "2");
		expect(part.stdout).toMatch(/track-1[\s\S]*\nthere are more: --after \d+\n$/);
		expect(part.stdout).not.toContain("track-2");
		for (const flags of [["--limit", "7"], []]) {
			expect((await receiver.run("recordings", ...flags)).stdout).not.toContain("there are more");
		}
	});
});
