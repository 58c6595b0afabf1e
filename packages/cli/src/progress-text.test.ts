import { describe, expect, it } from "vitest";
import type { Download } from "./download-progress.js";
import { formatBytes } from "./format-bytes.js";
import { downloadText, totalText } from "./progress-text.js";

const MIB = 1024 * 1024;

const download = (change: Partial<Download> = {}): Download => ({
	stream: "recording-1f9c2a7b00000000",
	host: "videos.example.com",
	bytes: 6 * MIB,
	totalBytes: 12 * MIB,
	bytesPerSecond: 1.5 * MIB,
	remainingMs: 4_000,
	...change,
});

describe("the line of a download", () => {
	it.each([
		[
			100,
			"[==============---------------]  50%    6.0/12.0 MiB   1.5 MiB/s     4s  videos.example.com 1f9c2a7b",
		],
		[79, "[====----]  50%    6.0/12.0 MiB   1.5 MiB/s     4s  videos.example.com 1f9c2a7b"],
		[70, "50%    6.0/12.0 MiB   1.5 MiB/s     4s  videos.ex... 1f9c2a7b"],
		[30, "50%    6.0/12.0 MiB   1.5 MiB/"],
	])("has a form for %i columns", (width, text) => {
		expect(downloadText(download(), width)).toBe(text);
	});

	it("has no bar and no share when nobody knows how much is to come", () => {
		const { remainingMs: _none, totalBytes: _neither, ...known } = download();
		const text = downloadText({ ...known, totalBytes: undefined, remainingMs: undefined }, 90);
		expect(text).toMatch(/^\[ +\] +6\.0 MiB +1\.5 MiB\/s {9}videos\.example\.com 1f9c2a7b$/);
	});

	it("is as wide while it is done, and when more came than was said", () => {
		const widths = [0, 1, 6 * MIB, 12 * MIB, 13 * MIB].map(
			(bytes) => downloadText(download({ bytes }), 90).length,
		);
		expect(new Set(widths).size).toBe(1);
		expect(downloadText(download({ bytes: 13 * MIB }), 90)).toMatch(/^\[=+\] 100%/);
	});

	it("lets nothing through that a terminal would obey or draw wider than one column", () => {
		const host = "\u001b[2Jevil\n\u0007\u202e視頻\u{1f600}.example";
		const text = downloadText(download({ host, stream: "recording-\u001b[31m" }), 100);
		expect(text).toMatch(/^[\x20-\x7e]+$/);
		expect(text).toContain("evil");
	});

	it("cuts a long host, and never names more than host and stream", () => {
		const host = `${"a".repeat(60)}.example.com:8443`;
		expect(downloadText(download({ host }), 200)).toMatch(/ {2}a{31}\.\.\. 1f9c2a7b$/);
		expect(downloadText(download({ host }), 79)).toMatch(/^\[[=-]{8}\] .* {2}a+\.\.\. 1f9c2a7b$/);
	});
});

describe("the line of all downloads", () => {
	const snapshot = { downloads: [download(), download({ stream: "recording-2" })], kept: 7, failed: 0 };

	it("adds up", () => {
		expect(totalText(snapshot, 2)).toBe("2 downloads: 12.0 MiB of 24.0 MiB, 3.0 MiB/s; 7 kept");
		expect(totalText({ ...snapshot, failed: 1 }, 1)).toMatch(
			/^2 downloads \(1 not shown\): .*; 7 kept, 1 try failed$/,
		);
	});

	it("says no whole when one of them is unknown", () => {
		const downloads = [download(), download({ totalBytes: undefined })];
		expect(totalText({ downloads, kept: 0, failed: 2 }, 2)).toBe(
			"2 downloads: 12.0 MiB, 3.0 MiB/s; 0 kept, 2 tries failed",
		);
	});
});

describe("formatBytes", () => {
	it.each([
		[0, "0 B"],
		[1023, "1023 B"],
		[1024, "1.0 KiB"],
		[1536 * MIB, "1.5 GiB"],
		[5000 * 1024 ** 4, "5000.0 TiB"],
	])("writes %i", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

	it.each([
		[400, "1s"],
		[59_000, "59s"],
		[200_000, "3m20s"],
		[3_905_000, "1h05m"],
	])("and a rest of %i ms", (remainingMs, text) => {
		expect(downloadText(download({ remainingMs }), 100)).toContain(` ${text}  `);
	});
});
