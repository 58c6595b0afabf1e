import type { ReelkeepEvent } from "@reelkeep/core";
import type { EventStore } from "@reelkeep/core/ports";
import type { ObjectFault } from "@reelkeep/testing";
import { describe, expect, it } from "vitest";
import { createHttpVideoSource } from "./http-video-source.js";
import { eventually, HOUR, NAME, origin, presign, scene, start, typesOf, video } from "./test-archiving.js";

describe("a recording whose link fails", () => {
	it("rests as expired when the origin says that its link is", async () => {
		const stream = await scene.report(presign());
		scene.clock.shift(2 * HOUR);
		start();
		const history = await scene.until(stream, "LinkExpired");
		expect(typesOf(history)).toEqual(["RecordingReported", "LinkExpired"]);
		expect(history.at(-1)?.data).toMatchObject({ cause: "refused", attempts: 1 });
	});

	it("rests as expired by time only at the end of the grace, after a real attempt", async () => {
		origin.fault(NAME, ...Array.from({ length: 5_000 }, () => ({ _tag: "Status" as const, status: 500 })));
		const link = origin.presign(NAME, scene.clock.now() + 24 * HOUR);
		const stream = await scene.report(link, { expireTime: scene.clock.now() + HOUR });
		start();
		await scene.until(stream, "ArchiveAttemptFailed");
		scene.clock.shift(HOUR);
		const before = origin.requests(NAME);
		await eventually(() => origin.requests(NAME) > before + 1);
		expect(typesOf(await scene.history(stream))).not.toContain("LinkExpired");
		scene.clock.shift(10 * 60_000);
		const history = await scene.until(stream, "LinkExpired");
		expect(history.at(-1)?.data).toMatchObject({ cause: "deadline" });
	});

	it("is tried once even when it is reported long after its deadline", async () => {
		const stream = await scene.report(presign(), { expireTime: scene.clock.now() + 1_000 });
		origin.fault(NAME, { _tag: "Status", status: 500 });
		scene.clock.shift(HOUR - 60_000);
		start();
		const history = await scene.until(stream, "LinkExpired");
		expect(origin.requests(NAME)).toBe(1);
		expect(history.at(-1)?.data).toMatchObject({ cause: "deadline", attempts: 1 });
	});

	it("is kept all the same when the link still works behind its deadline", async () => {
		const stream = await scene.report(presign(), { expireTime: scene.clock.now() + 1_000 });
		scene.clock.shift(HOUR - 60_000);
		start();
		expect(typesOf(await scene.until(stream, "RecordingArchived"))).toHaveLength(2);
	});

	it("is reopened by a new link", async () => {
		const stream = await scene.report(presign());
		scene.clock.shift(2 * HOUR);
		start();
		await scene.until(stream, "LinkExpired");
		expect(await scene.report(presign())).toBe(stream);
		const history = await scene.until(stream, "RecordingArchived");
		expect(typesOf(history)).toEqual([
			"RecordingReported",
			"LinkExpired",
			"LinkRenewed",
			"RecordingArchived",
		]);
		expect(history.at(-1)?.metadata).toMatchObject({ ingress: "archiver", causationId: history[2]?.id });
	});

	it("is reopened by a new link that comes in before it is heard that the old one has ended", async () => {
		const store: EventStore = {
			...scene.store,
			async append(stream, events, expected) {
				const result = await scene.store.append(stream, events, expected);
				const isEnd = events.some(({ type }) => type === "LinkExpired");
				if (isEnd) await new Promise((resolve) => setTimeout(resolve, 100));
				return result;
			},
		};
		const stream = await scene.report(presign());
		scene.clock.shift(2 * HOUR);
		start({ store });
		await scene.until(stream, "LinkExpired");
		await scene.report(presign());
		await scene.until(stream, "RecordingArchived");
	});

	it("is kept by an older link when the newest is the dead one", async () => {
		const stream = await scene.report(presign());
		await scene.report(origin.presign(NAME, scene.clock.now() - HOUR));
		start();
		expect(typesOf(await scene.until(stream, "RecordingArchived"))).toEqual([
			"RecordingReported",
			"LinkRenewed",
			"RecordingArchived",
		]);
	});

	it("is abandoned when there is no such object, after it was asked for four times", async () => {
		const stream = await scene.report(presign("none.mp4"));
		start();
		const history = await scene.until(stream, "ArchiveAbandoned");
		expect(history.at(-1)?.data).toMatchObject({ cause: "not-found", attempts: 4 });
		expect(origin.requests("none.mp4")).toBe(4);
		expect(typesOf(history).filter((type) => type === "ArchiveAttemptFailed")).toHaveLength(3);
	});

	it("is abandoned when all its links are refused", async () => {
		const forged = presign().replace(/Signature=.{6}/, "Signature=AAAAAA");
		const stream = await scene.report(forged);
		await scene.report(forged.replace("AAAAAA", "BBBBBB"));
		start();
		const history = await scene.until(stream, "ArchiveAbandoned");
		expect(history.at(-1)?.data).toMatchObject({ cause: "refused" });
		expect(origin.requests(NAME)).toBe(8);
	});

	it("is kept when the object appears late", async () => {
		const stream = await scene.report(presign("late.mp4"));
		start();
		await scene.until(stream, "ArchiveAttemptFailed");
		origin.put("late.mp4", video);
		await scene.until(stream, "RecordingArchived");
	});

	it("stays pending, and is shown, while its host is not allowed: also behind its deadline", async () => {
		const stream = await scene.report(presign());
		let deferred = 0;
		const count = (_name: string, attributes?: object) => {
			if (JSON.stringify(attributes) === '{"outcome":"deferred"}') deferred += 1;
		};
		const archiver = start({ source: createHttpVideoSource(), telemetry: { ...scene.telemetry, count } });
		await scene.until(stream, "ArchiveAttemptFailed");
		scene.clock.shift(24 * HOUR);
		await eventually(() => deferred > 2);
		// Also when it fails time and again, it is said in the log once.
		expect(typesOf(await scene.history(stream))).toEqual(["RecordingReported", "ArchiveAttemptFailed"]);
		const messages = (await archiver.check()).map(({ message }) => message).join("\n");
		expect(messages).toContain("--allow-host 127.0.0.1");
		expect(messages).toContain("1 recording is at risk");
		expect(origin.requests()).toBe(0);
	});

	it("is kept in the end through breaks, wrong lengths, wrong bytes, errors and pages", async () => {
		origin.fault(
			NAME,
			{ _tag: "Drop", afterBytes: 5_000 },
			{ _tag: "Status", status: 503, retryAfter: "0" },
			{ _tag: "Status", status: 503 },
			// Lengths that do not fit a range are asked for anew, and so is an ETag that alone speaks against a video.
			{ _tag: "Shorten", toBytes: 4_000 },
			{ _tag: "Shorten", toBytes: 5_000 },
			{ _tag: "Corrupt", atByte: 9_000 },
			{ _tag: "Corrupt", atByte: 8_000 },
			{ _tag: "Headers", headers: { "content-encoding": "gzip" } },
		);
		const stream = await scene.report(presign());
		start();
		const history = await scene.until(stream, "RecordingArchived");
		const reasons = history.flatMap((event) =>
			event.type === "ArchiveAttemptFailed" ? [event.data.reason] : [],
		);
		expect(reasons).toEqual(["broke-off", "busy", "busy", "mismatch", "failed"]);
		expect(history.at(-1)?.data).toMatchObject({ attempts: 6, adopted: false });
	});
});

describe("a recording whose origin states a checksum", () => {
	const noMd5 = { etag: `"${"0".repeat(32)}"` };
	const receiptOf = (events: readonly ReelkeepEvent[]) => {
		const last = events.at(-1);
		return last?.type === "RecordingArchived" ? last.data.receipt : undefined;
	};
	const headers = (more: Readonly<Record<string, string>>): ObjectFault => ({
		_tag: "Headers",
		headers: more,
	});

	it("is not kept while Content-MD5 is another one, whatever the ETag is and however often it comes", async () => {
		const wrong = headers({ "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" });
		origin.fault(NAME, wrong, wrong);
		const stream = await scene.report(presign());
		start();
		const history = await scene.until(stream, "RecordingArchived");
		const failures = history.filter(({ type }) => type === "ArchiveAttemptFailed");
		expect(failures).toMatchObject([{ data: { reason: "mismatch" } }, { data: { reason: "mismatch" } }]);
	});

	it("is kept at once when its object was appended to, so that its ETag is no MD5", async () => {
		origin.fault(NAME, headers({ ...noMd5, "x-oss-object-type": "Appendable" }));
		const stream = await scene.report(presign());
		start();
		const receipt = receiptOf(await scene.until(stream, "RecordingArchived"));
		expect(receipt).toMatchObject({ lengthVerified: true, etag: noMd5.etag });
		expect(receipt).not.toHaveProperty("originChecksum");
		expect(origin.requests(NAME)).toBe(1);
	});

	it("is kept when an ETag of a normal object is no MD5 either, once its bytes came twice", async () => {
		origin.fault(NAME, headers(noMd5), headers(noMd5));
		const stream = await scene.report(presign());
		start();
		const receipt = receiptOf(await scene.until(stream, "RecordingArchived"));
		expect(receipt).toMatchObject({ bytes: video.length, lengthVerified: true });
		expect(receipt).not.toHaveProperty("originChecksum");
		expect(origin.requests(NAME)).toBe(2);
	});
});

describe("a recording whose link works", () => {
	it("is kept, with a receipt of what was verified", async () => {
		const stream = await scene.report(presign());
		start();
		const history = await scene.until(stream, "RecordingArchived");
		const kept = await scene.videoStore.stat(stream);
		expect(history.at(-1)).toMatchObject({
			data: {
				receipt: {
					location: kept?.location,
					bytes: video.length,
					sha256: kept?.sha256,
					lengthVerified: true,
					contentType: "video/mp4",
					originChecksum: expect.stringMatching(/^md5:[0-9a-f]{32}$/),
				},
				attempts: 1,
				adopted: false,
			},
			metadata: { ingress: "archiver", correlationId: "correlation-1", causationId: history[0]?.id },
		});
		const chunks: Uint8Array[] = [];
		for await (const chunk of scene.videoStore.open(kept?.location ?? "")) chunks.push(chunk);
		expect(Buffer.concat(chunks)).toEqual(Buffer.from(video));
	});

	it("is adopted without a download when its file was complete before its event", async () => {
		const stream = await scene.report(presign());
		const upload = await scene.videoStore.begin(stream);
		await upload.write(video);
		await upload.commit();
		start();
		const history = await scene.until(stream, "RecordingArchived");
		expect(history.at(-1)?.data).toMatchObject({ adopted: true, receipt: { bytes: video.length } });
		expect(origin.requests()).toBe(0);
	});

	it("is not downloaded again when the history is replayed", async () => {
		const stream = await scene.report(presign());
		const first = start();
		await scene.until(stream, "RecordingArchived");
		await first.stop();
		const replayed = start();
		const other = await scene.report(presign(), { trackInfo: "track-2" });
		await scene.until(other, "RecordingArchived");
		await replayed.stop();
		expect(origin.requests(NAME)).toBe(2);
	});

	it("is said once by two archivers on one store", async () => {
		const count = 12;
		const streams = await Promise.all(
			Array.from({ length: count }, (_, index) => scene.report(presign(), { trackInfo: `track-${index}` })),
		);
		const pair = [start(), start()];
		for (const stream of streams) await scene.until(stream, "RecordingArchived");
		await Promise.all(pair.map((archiver) => archiver.stop()));
		for (const stream of streams) {
			const types = typesOf(await scene.history(stream));
			expect(types.filter((type) => type === "RecordingArchived")).toHaveLength(1);
		}
	});
});
