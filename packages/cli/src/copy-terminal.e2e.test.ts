// The progress of `reelkeep copy`: bars on a pseudo-terminal, plain lines elsewhere, and none where nobody wants them.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "@reelkeep/harness/reelkeep-process";
import { describe, expect, test } from "vitest";
import { appendMany, temporaryFolder } from "./test-copy.js";
import { HAS_PSEUDO_TERMINALS, runOnTerminal } from "./test-pseudo-terminal.js";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
/** A copy of so many takes longer than a bar needs to be drawn. */
const EVENTS = 20_000;

async function given() {
	const folder = temporaryFolder();
	const [from, to] = [join(folder, "from"), join(folder, "to")];
	await appendMany(from, EVENTS);
	return { to, command: ["copy", "--from", from, "--to", to] };
}

test.skipIf(!HAS_PSEUDO_TERMINALS)(
	"a copy shows how far it is, and leaves only what came of it",
	async () => {
		const { command, to } = await given();
		const run = runOnTerminal([process.execPath, entry, ...command]);
		const total = /^copying \(events\): .*MiB, .*\/s; 0 videos copied$/;
		const bar = /^\[[=-]+\] +\d+% .*MiB.*\/s .* events/;
		const isShown = async (): Promise<boolean> => {
			const lines = await run.lines();
			return total.test(lines[0] ?? "") && lines.some((line) => bar.test(line));
		};
		await expect.poll(isShown, { timeout: 20_000, interval: 50 }).toBe(true);
		expect(await run.ended).toBe(0);
		const lines = await run.lines();
		expect(lines[0]).toMatch(/ is a copy of /);
		expect(lines.join("\n")).not.toContain("copying");
		expect(lines.join("")).toContain(to);
	},
);

describe("without a terminal", () => {
	test.each([
		[[], /^(copying( \(\w+\): .*\/s)?; 0 videos copied\n)*$/],
		[["--no-progress"], /^$/],
	])("%j", async (flags, says) => {
		const { command } = await given();
		const { code, stderr } = await runCommand(entry, [...command, ...flags]);
		expect([code, stderr]).toEqual([0, expect.stringMatching(says)]);
	});
});
