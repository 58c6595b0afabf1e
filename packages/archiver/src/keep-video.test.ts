import { createHash } from "node:crypto";
import { createMemoryVideoStore } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import {
	type Logger,
	type OpenedVideo,
	storeFault,
	type VideoSource,
	type VideoStore,
} from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { startObjectStore } from "@reelkeep/testing";
import { describe, expect, it } from "vitest";
import { createBlockWriters } from "./block-writer.js";
import { createDiskSpace } from "./disk-space.js";
import { createHttpVideoSource } from "./http-video-source.js";
import { type KeepResult, keepVideo } from "./keep-video.js";
import type { DownloadedVideo } from "./verify-video.js";

const KEY = "recording-1";
const MIB = 1024 * 1024;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A source of one's own making: what it says about the bytes, and the bytes. */
function sourceOf(stated: Partial<OpenedVideo>, ...chunks: readonly Uint8Array[]): VideoSource {
	const body = (async function* () {
		yield* chunks;
	})();
	return { open: async () => ({ _tag: "Opened", offset: 0, checksums: {}, body, ...stated }) };
}

/** States the same at every opening; the bytes are those of `bodies` in turn. */
function sourceInTurn(stated: Partial<DownloadedVideo>, ...bodies: readonly string[]) {
	let opened = 0;
	const open: VideoSource["open"] = (link, options) =>
		sourceOf(stated, text(bodies[opened++] ?? "")).open(link, options);
	return { open, opened: () => opened };
}

const depsOf = (source: VideoSource, videoStore: VideoStore, logger: Logger = transcribingLogger()) => ({
	source,
	videoStore,
	logger,
	clock: systemClock,
	random: Math.random,
	space: createDiskSpace(videoStore),
	blocks: createBlockWriters(),
});

function keep(source: VideoSource, videoStore: VideoStore, signal = new AbortController().signal) {
	return keepVideo(depsOf(source, videoStore), KEY, "http://unused/", signal);
}

async function failureOf(source: VideoSource, videoStore = createMemoryVideoStore()) {
	const result = await keep(source, videoStore);
	if (result._tag !== "Failed") throw new Error(`it is ${result._tag}`);
	expect(await videoStore.stat(KEY)).toBeUndefined();
	return result.failure;
}

const NO_MD5 = "0".repeat(32);
/** What our HTTP source says of a whole answer whose ETag looks like an MD5. */
const LOOKS_LIKE_MD5 = { totalBytes: 5, etag: `"${NO_MD5}"`, checksums: { md5: NO_MD5 }, isMd5Etag: true };

describe("a video whose ETag alone speaks against it", () => {
	it("is not kept when other bytes come at the second time", async () => {
		const source = sourceInTurn(LOOKS_LIKE_MD5, "video", "vid3o");
		expect(await failureOf(source)).toMatchObject({ reason: "mismatch" });
		expect(source.opened()).toBe(2);
	});

	it("is not kept when it is a page, however often that comes", async () => {
		const source = sourceInTurn({ ...LOOKS_LIKE_MD5, totalBytes: 6 }, "<html>", "<html>");
		expect(await failureOf(source)).toMatchObject({
			reason: "mismatch",
			message: expect.stringContaining("page"),
		});
		expect(source.opened()).toBe(1);
	});

	it.each([
		["its length is not stated", { ...LOOKS_LIKE_MD5, totalBytes: undefined }],
		["its length is another one", { ...LOOKS_LIKE_MD5, totalBytes: 6 }],
		["the source vouches for the MD5", { ...LOOKS_LIKE_MD5, isMd5Etag: false }],
	])("is not kept, nor downloaded again at once, when %s", async (_what, { totalBytes, ...stated }) => {
		const length = totalBytes === undefined ? {} : { totalBytes };
		const source = sourceInTurn({ ...stated, ...length }, "video", "video");
		expect(await failureOf(source)).toMatchObject({ reason: "mismatch" });
		expect(source.opened()).toBe(1);
	});

	it("is kept when the same bytes come twice, and its receipt names no checksum of the origin", async () => {
		const source = sourceInTurn(LOOKS_LIKE_MD5, "video", "video");
		const result = await keep(source, createMemoryVideoStore());
		const sha256 = createHash("sha256").update("video").digest("hex");
		const { etag } = LOOKS_LIKE_MD5;
		const receipt = { location: "memory:recording-1", bytes: 5, sha256, lengthVerified: true, etag };
		expect(result).toEqual({ _tag: "Kept", receipt, adopted: false });
		expect(source.opened()).toBe(2);
	});

	it("is kept also when its body is framed by chunks instead of a length, and only then", async () => {
		const { totalBytes: _stated, ...rest } = LOOKS_LIKE_MD5;
		const chunked = sourceInTurn({ ...rest, isFramed: true }, "video", "video");
		expect(await keep(chunked, createMemoryVideoStore())).toMatchObject({
			_tag: "Kept",
			receipt: { lengthVerified: false },
		});
		const unframed = sourceInTurn(rest, "video", "video");
		expect(await keep(unframed, createMemoryVideoStore())).toMatchObject({ failure: { reason: "mismatch" } });
	});

	it("is kept with its checksum when the second download has the ETag's MD5 after all", async () => {
		const md5 = createHash("md5").update("video").digest("hex");
		const source = sourceInTurn({ ...LOOKS_LIKE_MD5, checksums: { md5 } }, "vid3o", "video");
		const result = await keep(source, createMemoryVideoStore());
		expect(result).toMatchObject({ _tag: "Kept", receipt: { originChecksum: `md5:${md5}` } });
	});
});

describe("a video that is not kept", () => {
	it.each([
		["fewer bytes than were stated", sourceOf({ totalBytes: 6 }, text("video"))],
		["more bytes than were stated", sourceOf({ totalBytes: 4 }, text("video"))],
		["another MD5 than was stated", sourceOf({ checksums: { md5: "0".repeat(32) } }, text("video"))],
		["no bytes at all", sourceOf({ totalBytes: 0 })],
		["a page", sourceOf({}, text("<!DOC"), text("TYPE html><p>please log in"))],
		["an error in XML", sourceOf({}, text('\n<?xml version="1.0"?><Error/>'))],
	])("has %s", async (_what, source) => {
		expect(await failureOf(source)).toMatchObject({ reason: "mismatch" });
	});

	it("comes from a source that throws, and nothing of what it throws is repeated", async () => {
		const secret = new Error("http://h/v?Signature=s3cret");
		const body = (async function* () {
			yield text("vi");
			throw secret;
		})();
		const throwing: VideoSource = { open: () => Promise.reject(secret) };
		const failures = [await failureOf(sourceOf({ body })), await failureOf(throwing)];
		expect(failures).toMatchObject([{ reason: "broke-off" }, { reason: "failed" }]);
		expect(JSON.stringify(failures)).not.toContain("s3cret");
	});

	it("does not start at its beginning", async () => {
		expect(await failureOf(sourceOf({ offset: 2 }, text("deo")))).toMatchObject({ reason: "broke-off" });
	});

	it("has a failure of at most 300 characters", async () => {
		const message = "x".repeat(1_000);
		const source: VideoSource = { open: async () => ({ _tag: "Unavailable", reason: "busy", message }) };
		expect((await failureOf(source)).message).toHaveLength(300);
	});

	it.each(["begin", "write", "digest", "commit"] as const)(
		"meets a store that fails to %s; its upload is let go",
		async (step) => {
			const memory = createMemoryVideoStore();
			const fail = async () => Promise.reject(storeFault("io", `cannot ${step}`));
			let letGo = 0;
			const videoStore: VideoStore = {
				...memory,
				async begin(key) {
					if (step === "begin") return fail();
					const upload = await memory.begin(key);
					const end = async () => {
						letGo += 1;
						throw storeFault("io", "cannot let go either");
					};
					return { ...upload, discard: end, suspend: end, [step]: fail };
				},
			};
			expect(await failureOf(sourceOf({}, text("video")), videoStore)).toEqual({
				reason: "storage",
				message: `cannot ${step}`,
			});
			expect(letGo).toBe(step === "begin" ? 0 : 1);
		},
	);

	it("meets a store with a foreign error: its code is logged, and none of its words", async () => {
		const lines: string[] = [];
		const write = (details: object, message: string) =>
			void lines.push(JSON.stringify({ ...details, message }));
		const logger: Logger = { trace: write, debug: write, info: write, warn: write, error: write };
		const foreign = Object.assign(new Error("http://h/v?Signature=s3cret"), {
			code: "ECONNRESET",
			config: { url: "http://h/v?Signature=s3cret" },
		});
		const videoStore: VideoStore = { ...createMemoryVideoStore(), begin: () => Promise.reject(foreign) };
		const source = sourceOf({}, text("video"));
		await keepVideo(depsOf(source, videoStore, logger), KEY, "http://unused/", new AbortController().signal);
		expect(lines.join("\n")).toContain('"code":"ECONNRESET"');
		expect(lines.join("\n")).not.toContain("s3cret");
	});

	it("is stopped before it is opened, while it is opened, and before it is committed", async () => {
		const videoStore = createMemoryVideoStore();
		const stopped: KeepResult = { _tag: "Stopped" };
		expect(await keep(createHttpVideoSource(), videoStore, AbortSignal.abort())).toEqual(stopped);
		const whileOpened = new AbortController();
		const opening: VideoSource = {
			async open(_link, { signal }) {
				queueMicrotask(() => whileOpened.abort());
				await new Promise((resolve) => signal.addEventListener("abort", resolve));
				return { _tag: "Unavailable", reason: "failed", message: "aborted" };
			},
		};
		expect(await keep(opening, videoStore, whileOpened.signal)).toEqual(stopped);
		const atTheEnd = new AbortController();
		const body = (async function* () {
			yield text("video");
			atTheEnd.abort();
		})();
		expect(await keep(sourceOf({ body }), videoStore, atTheEnd.signal)).toEqual(stopped);
		expect(await videoStore.stat(KEY)).toBeUndefined();
	});
});

describe("a video that is kept", () => {
	it("has a receipt that says what the origin did not state", async () => {
		const result = await keep(sourceOf({}, text("vi"), text("deo")), createMemoryVideoStore());
		const sha256 = createHash("sha256").update("video").digest("hex");
		const location = "memory:recording-1";
		const receipt = { location, bytes: 5, sha256, lengthVerified: false };
		expect(result).toEqual({ _tag: "Kept", receipt, adopted: false });
	});

	it("has the MD5 in its receipt when the origin stated it", async () => {
		const md5 = createHash("md5").update("video").digest("hex");
		const result = await keep(
			sourceOf({ checksums: { md5 }, totalBytes: 5 }, text("video")),
			createMemoryVideoStore(),
		);
		expect(result).toMatchObject({ receipt: { originChecksum: `md5:${md5}`, lengthVerified: true } });
	});

	it.each(["video", "other"])("was committed by another first (%s): that one counts", async (first) => {
		const videoStore = createMemoryVideoStore();
		const upload = await videoStore.begin(KEY);
		await upload.write(text(first));
		await upload.commit();
		const result = await keep(sourceOf({ totalBytes: 5, etag: '"e"' }, text("video")), videoStore);
		const sha256 = createHash("sha256").update(first).digest("hex");
		const receipt = { location: "memory:recording-1", bytes: 5, sha256, lengthVerified: false };
		expect(result).toEqual({ _tag: "Kept", receipt, adopted: true });
	});

	it("is never whole in memory: the origin waits while the store writes", async () => {
		const size = 96 * MIB;
		const block = Buffer.alloc(MIB, 7);
		let served = 0;
		const read = (start: number, end: number) => {
			served = Math.max(served, end);
			return block.subarray(0, end - start);
		};
		const origin = await startObjectStore({ objects: { big: { length: size, read } } });
		served = 0;
		const slow = createDiscardingStore(async (written) => {
			// What is served but not written stands in socket buffers and at most one chunk of ours.
			most = Math.max(most, served - written);
			if (written % (8 * MIB) < 65_536) await new Promise((resolve) => setTimeout(resolve, 5));
		});
		let most = 0;
		const source = createHttpVideoSource({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true });
		const link = origin.presign("big", Date.now() + 60_000);
		const result = await keepVideo(depsOf(source, slow), KEY, link, new AbortController().signal);
		await origin.close();
		expect(result).toMatchObject({ _tag: "Kept", receipt: { bytes: size, lengthVerified: true } });
		expect(most).toBeGreaterThan(0);
		expect(most).toBeLessThan(24 * MIB);
	});
});

/** Counts and forgets: what a store of large videos costs in memory. One `write` at a time, or it throws. */
function createDiscardingStore(onWrite: (written: number) => Promise<void>): VideoStore {
	const memory = createMemoryVideoStore();
	return {
		...memory,
		async begin() {
			let bytes = 0;
			let isBusy = false;
			const digest = () => ({ bytes, sha256: "0".repeat(64) });
			return {
				offset: 0,
				async write(chunk) {
					if (isBusy) throw new Error("two writes at once");
					isBusy = true;
					await onWrite(bytes);
					bytes += chunk.length;
					isBusy = false;
				},
				digest: async () => digest(),
				commit: async () => ({ _tag: "Committed", video: { location: "nowhere", ...digest() } }),
				discard: async () => undefined,
				suspend: async () => undefined,
			};
		},
	};
}
