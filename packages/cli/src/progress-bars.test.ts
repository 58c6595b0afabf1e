import type { ArchiveProgress } from "@reelkeep/core/ports";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createProgressBars, MAX_BARS } from "./progress-bars.js";
import type { ProgressDisplay } from "./progress-display.js";
import { createTestTerminal, type TestTerminal } from "./test-terminal.js";

/** Long enough for everything to be drawn that is going to be. */
const A_WHILE_MS = 600;
const MIB = 1024 * 1024;

let terminal: TestTerminal;
let bars: ProgressDisplay;
const on = (size: { readonly columns?: number; readonly rows?: number }): void => {
	terminal = createTestTerminal(size);
	bars = createProgressBars(terminal.stream);
};
beforeEach(() => {
	vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
	on({});
});
afterEach(() => {
	bars.stop();
	vi.useRealTimers();
});

const notice = (number: number, change: Partial<ArchiveProgress> = {}): ArchiveProgress => ({
	type: "archiveProgress",
	stream: `recording-${number.toString(16).padStart(8, "0")}${"0".repeat(56)}`,
	host: "bucket.oss-cn-hangzhou.aliyuncs.com",
	phase: "running",
	bytes: 3 * MIB,
	totalBytes: 12 * MIB,
	bytesPerSecond: 1.5 * MIB,
	remainingMs: 6_000,
	...change,
});
const log = (line: string): void => bars.beside(() => void terminal.stream.write(`${line}\n`));
/** The emulated terminal takes a turn of its own, by the same timers. */
const seen = async (): Promise<readonly string[]> => {
	const lines = terminal.lines();
	await vi.advanceTimersByTimeAsync(1);
	return lines;
};
const drawn = async (): Promise<readonly string[]> => {
	await vi.advanceTimersByTimeAsync(A_WHILE_MS);
	return seen();
};

describe("progress bars", () => {
	it("show each download below a line for all of them", async () => {
		for (const number of [1, 2])
			bars.apply(notice(number, { phase: "started", bytes: 0, bytesPerSecond: 0 }));
		bars.apply(notice(1));
		const [total, first, second, ...rest] = await drawn();
		expect(total).toBe("2 downloads: 3.0 MiB of 24.0 MiB, 1.5 MiB/s; 0 kept");
		expect(first).toMatch(
			/^\[={2}-{7}\] {2}25% {4}3\.0\/12\.0 MiB {3}1\.5 MiB\/s {5}6s {2}bucket.* 00000001$/,
		);
		expect(second).toMatch(/^\[-+\] {3}0% +0\.0\/12\.0 MiB +0 B\/s .* 00000002$/);
		expect(rest).toEqual([]);
	});

	it("go when a download ends, and leave nothing behind at the last one", async () => {
		for (const number of [1, 2, 3]) bars.apply(notice(number));
		expect(await drawn()).toHaveLength(4);
		bars.apply(notice(2, { phase: "ended", outcome: "archived" }));
		const left = await drawn();
		expect(left).toHaveLength(3);
		expect(left[0]).toContain("1 kept");
		expect(left.map((line) => line.slice(-8)).slice(1)).toEqual(["00000001", "00000003"]);
		for (const number of [1, 3]) bars.apply(notice(number, { phase: "ended", outcome: "deferred" }));
		expect(await drawn()).toEqual([]);
		bars.apply(notice(4));
		expect((await drawn())[0]).toMatch(/^1 download: .*; 1 kept, 2 tries failed$/);
	});

	it("do not appear for a download that is over at once", async () => {
		const written = vi.spyOn(terminal.stream, "write");
		bars.apply(notice(1, { phase: "started" }));
		bars.apply(notice(1, { phase: "ended", outcome: "archived" }));
		await drawn();
		expect(written).not.toHaveBeenCalled();
	});

	it("stay below lines of a log, which stay whole, however long they are", async () => {
		const lines = ["before", `{"level":30,"msg":"${"long ".repeat(60)}"}`, "after"];
		for (const number of [1, 2, 3]) bars.apply(notice(number));
		await drawn();
		for (const line of lines) log(line);
		expect((await seen()).slice(0, 3)).toEqual(lines);
		const all = await drawn();
		expect(all.slice(0, 3)).toEqual(lines);
		expect(all).toHaveLength(3 + 4);
		bars.stop();
		log("the end");
		expect(await seen()).toEqual([...lines, "the end"]);
	});

	it("keep every line of a log in order while downloads come and go, on a terminal that scrolls", async () => {
		on({ columns: 70, rows: 10 });
		const lines: string[] = [];
		for (let step = 0; step < 120; step += 1) {
			const line = `line ${step} ${"x".repeat((step * 37) % 200)}`;
			lines.push(line);
			log(line);
			bars.apply(
				notice(step % 7, step % 3 === 0 ? { phase: "ended", outcome: "archived" } : { bytes: step * MIB }),
			);
			await vi.advanceTimersByTimeAsync((step * 90) % 400);
		}
		bars.stop();
		expect(await seen()).toEqual(lines);
	});

	it("are at most so many; the rest is counted", async () => {
		for (let number = 0; number < MAX_BARS + 5; number += 1) bars.apply(notice(number));
		const lines = await drawn();
		expect(lines).toHaveLength(MAX_BARS + 1);
		expect(lines[0]).toMatch(/^21 downloads \(5 not shown\): /);
		bars.apply(notice(0, { phase: "ended", outcome: "archived" }));
		expect((await drawn()).at(-1)).toMatch(/00000010$/);
	});

	it("leave room on a low terminal", async () => {
		on({ rows: 6 });
		for (let number = 0; number < 8; number += 1) bars.apply(notice(number));
		expect(await drawn()).toHaveLength(4);
		log("a line");
		expect((await drawn()).slice(0, 2)).toEqual([
			"a line",
			expect.stringMatching(/^8 downloads \(5 not shown\)/),
		]);
	});

	it.each([20, 40, 60, 79, 120, 300])("fit into %i columns", async (columns) => {
		on({ columns });
		for (const number of [1, 2]) bars.apply(notice(number, { bytes: 5.5 * MIB }));
		const lines = await drawn();
		expect(lines).toHaveLength(3);
		for (const line of lines) expect(line.length).toBeLessThan(columns);
	});

	it.each([60, 79, 96, 120])(
		"go when Ctrl-C is typed, which %i columns show behind the last one",
		async (columns) => {
			on({ columns });
			for (const number of [1, 2]) bars.apply(notice(number, { host: "h".repeat(99) }));
			await drawn();
			terminal.stream.write("^C");
			bars.stop();
			log("stopped");
			expect(await seen()).toEqual(["stopped"]);
		},
	);

	it("come back no more once they were stopped", async () => {
		bars.apply(notice(1));
		await drawn();
		bars.stop();
		bars.apply(notice(1, { bytes: 4 * MIB }));
		expect(await drawn()).toEqual([]);
	});
});
