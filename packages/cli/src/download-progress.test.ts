import type { ArchiveProgress } from "@reelkeep/core/ports";
import { expect, it } from "vitest";
import { createDownloadProgress } from "./download-progress.js";

const notice = (stream: string, change: Partial<ArchiveProgress>): ArchiveProgress => ({
	type: "archiveProgress",
	stream,
	host: "videos.example.com",
	phase: "running",
	bytes: 1,
	bytesPerSecond: 1,
	...change,
});

it("holds what is under way in the order in which it began, and counts what ended", () => {
	const progress = createDownloadProgress();
	for (const stream of ["b", "a", "c"]) progress.apply(notice(stream, { phase: "started", bytes: 0 }));
	progress.apply(notice("b", { bytes: 5, totalBytes: 10, remainingMs: 5_000 }));
	progress.apply(notice("a", { phase: "ended", outcome: "archived" }));
	progress.apply(notice("c", { phase: "ended", outcome: "deferred" }));
	for (const outcome of ["overtaken", "gaveway", "stopped"])
		progress.apply(notice("c", { phase: "ended", outcome }));
	progress.apply(notice("a", { phase: "started", bytes: 2 }));
	const { downloads, kept, failed } = progress.snapshot();
	expect(downloads.map(({ stream, bytes }) => [stream, bytes])).toEqual([
		["b", 5],
		["a", 2],
	]);
	expect(downloads[0]).toMatchObject({ totalBytes: 10, remainingMs: 5_000 });
	expect([kept, failed]).toEqual([1, 1]);
});

it("takes a download that it did not see begin, and an end without one", () => {
	const progress = createDownloadProgress();
	progress.apply(notice("a", { bytes: 7 }));
	progress.apply(notice("b", { phase: "ended", outcome: "archived" }));
	expect(progress.snapshot()).toMatchObject({ downloads: [{ stream: "a", bytes: 7 }], kept: 1, failed: 0 });
});
