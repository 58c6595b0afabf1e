import { createHash } from "node:crypto";
import { createMemoryVideoStore } from "@reelkeep/core";
import {
	type OpenVideoOptions,
	type OpenVideoResult,
	sourceFault,
	type VideoSource,
	type VideoStore,
} from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { beforeEach, describe, expect, it } from "vitest";
import { createBlockWriters } from "./block-writer.js";
import { createChecksums } from "./checksums.js";
import { createDiskSpace } from "./disk-space.js";
import { writeNote } from "./download-note.js";
import { type DownloadWatch, keepVideo } from "./keep-video.js";
import { LOCAL, origin, presign } from "./test-archiving.js";
import type { DownloadedVideo } from "./verify-video.js";

const KEY = "recording-1";
const KIB = 1024;
const LENGTH = 1_024 * KIB;
const bytesOf = (seed: number): Uint8Array =>
	new Uint8Array(LENGTH).map((_, at) => (at * seed + (at >> 8)) % 251);
const VIDEO = bytesOf(31);
const MD5 = createHash("md5").update(VIDEO).digest("hex");
const SHA256 = createHash("sha256").update(VIDEO).digest("hex");
const crc64 = await createChecksums({ crc64: "" });
crc64.update(VIDEO);
const CHECKSUMS = { md5: MD5, crc64: crc64.digest().crc64 ?? "" };

let videoStore: VideoStore;
/** What each opening asked for: all, or from where on and of which object. */
let asked: string[];
/** Bytes that bodies were asked for. */
let read: number;

beforeEach(() => {
	videoStore = createMemoryVideoStore();
	asked = [];
	read = 0;
});

type Answer = (options: OpenVideoOptions) => OpenVideoResult;
type Serving = Partial<DownloadedVideo> & { readonly fault?: unknown; readonly bytes?: Uint8Array };
type Looking = { readonly signal?: AbortSignal; readonly watch?: DownloadWatch };

/** The bytes from where they are asked for up to `to`; then `fault`, or the end. */
function serving(to = LENGTH, { fault, bytes = VIDEO, ...stated }: Serving = {}): Answer {
	return ({ offset: from = 0, signal }) => {
		const { offset = from } = stated;
		const body = (async function* () {
			for (let at = offset; at < to; at += 64 * KIB) {
				if (signal.aborted) throw BROKEN.fault;
				const chunk = bytes.subarray(at, Math.min(at + 64 * KIB, to));
				read += chunk.length;
				yield chunk;
			}
			if (fault !== undefined) throw fault;
		})();
		const usual = { validator: "v1", totalBytes: bytes.length, checksums: {}, body };
		return { _tag: "Opened", ...usual, ...stated, offset };
	};
}
const BROKEN = { fault: sourceFault("broke-off", "the connection ended") };

function attempt(answers: readonly Answer[], looking: Looking = {}) {
	const left = [...answers];
	const source: VideoSource = {
		async open(_link, options) {
			const { offset, validator } = options;
			asked.push(offset === undefined ? "all" : `${offset} of ${validator}`);
			return (left.shift() ?? serving())(options);
		},
	};
	return keepFrom(source, "http://unused/", looking);
}

function keepFrom(source: VideoSource, link: string, { signal, watch }: Looking = {}) {
	const clock = { now: Date.now, sleep: async () => undefined };
	const space = createDiskSpace(videoStore);
	const common = { videoStore, clock, space, logger: transcribingLogger(), random: Math.random };
	const deps = { ...common, source, blocks: createBlockWriters() };
	return keepVideo(deps, KEY, link, signal ?? new AbortController().signal, watch);
}

const held = async (): Promise<number> => (await videoStore.findPartial(KEY))?.bytes ?? 0;
const failure = (reason: string) => ({ _tag: "Failed", failure: { reason } });
const kept = (receipt: object = {}) => ({
	_tag: "Kept",
	receipt: { bytes: LENGTH, sha256: SHA256, ...receipt },
});

describe("a download that breaks off", () => {
	it("goes on at once behind what it holds, when it has gained 256 KiB, and reads nothing twice", async () => {
		const result = await attempt([serving(256 * KIB, BROKEN), serving(700 * KIB, BROKEN)]);
		expect(result).toMatchObject(kept({ lengthVerified: true }));
		expect(asked).toEqual(["all", `${256 * KIB} of v1`, `${700 * KIB} of v1`]);
		expect(read).toBe(LENGTH);
	});

	it("is kept for the next attempt when it has gained less, and read no second time", async () => {
		const first = await attempt([serving(256 * KIB - 1, { ...BROKEN, checksums: CHECKSUMS })]);
		expect([first, asked.length, await held()]).toMatchObject([failure("broke-off"), 1, 256 * KIB - 1]);
		const second = await attempt([serving(LENGTH, { checksums: CHECKSUMS })]);
		expect(second).toMatchObject(kept({ originChecksum: `md5:${MD5}` }));
		expect(asked.at(-1)).toBe(`${256 * KIB - 1} of v1`);
		expect([read, await held()]).toEqual([LENGTH, 0]);
	});

	it("goes on whatever another source's body throws", async () => {
		const foreign = new Error("http://h/v?Signature=s3cret");
		expect(await attempt([serving(512 * KIB, { fault: foreign }), serving()])).toMatchObject(kept());
		expect(read).toBe(LENGTH);
	});

	it("starts anew when nothing tells its object from a changed one", async () => {
		const nameless: Answer = (options) => {
			const { validator: _none, ...opened } = serving(512 * KIB, BROKEN)(options) as DownloadedVideo;
			return opened;
		};
		expect(await attempt([nameless])).toMatchObject(failure("broke-off"));
		expect(await held()).toBe(0);
		await attempt([]);
		expect(asked).toEqual(["all", "all"]);
	});

	it("is told from a page by the type that its first answer stated, when that of the rest states none", async () => {
		const first = serving(512 * KIB, { ...BROKEN, contentType: "text/html" });
		expect(await attempt([first, serving()])).toMatchObject(failure("mismatch"));
		const typed = serving(512 * KIB, { ...BROKEN, contentType: "video/mp4" });
		expect(await attempt([typed, serving()])).toMatchObject(kept({ contentType: "video/mp4" }));
	});

	it("takes no more than 16 connections in one attempt, and the next one goes on", async () => {
		const long = new Uint8Array(18 * 256 * KIB).fill(7);
		const answers = Array.from({ length: 18 }, (_, at) =>
			serving((at + 1) * 256 * KIB, { ...BROKEN, bytes: long }),
		);
		expect(await attempt(answers)).toMatchObject(failure("broke-off"));
		expect([asked.length, await held()]).toEqual([16, 16 * 256 * KIB]);
		expect(await attempt([serving(long.length, { bytes: long })])).toMatchObject({ _tag: "Kept" });
		expect(read).toBe(long.length);
	});

	it("is kept when its origin will not go on just now", async () => {
		const busy: Answer = () => ({ _tag: "Unavailable", reason: "busy", message: "busy", retryAfterMs: 7 });
		const result = await attempt([serving(512 * KIB, BROKEN), busy]);
		expect(result).toMatchObject({ failure: { reason: "busy", retryAfterMs: 7 } });
		expect(await held()).toBe(512 * KIB);
	});

	it("is kept when it is stopped, and when it gives way, in which case nothing more is read", async () => {
		const stop = new AbortController();
		const watch = { opened: () => true, received: () => stop.abort() };
		// More than one block: the first is written while the body goes on.
		const large = new Uint8Array(4 * LENGTH).fill(7);
		const same = serving(large.length, { bytes: large });
		expect(await attempt([same], { signal: stop.signal, watch })).toEqual({ _tag: "Stopped" });
		const before = [await held(), read];
		expect(before[0]).toBeGreaterThanOrEqual(LENGTH);
		expect(before[0]).toBeLessThan(large.length);
		const sizes: object[] = [];
		const opened = (size: object): boolean => sizes.push(size) < 0;
		expect(await attempt([same], { watch: { opened, received: () => undefined } })).toEqual({
			_tag: "GaveWay",
		});
		expect([await held(), read]).toEqual(before);
		expect(sizes).toEqual([{ heldBytes: before[0], totalBytes: large.length }]);
		expect(await attempt([same])).toMatchObject({ _tag: "Kept", receipt: { bytes: large.length } });
	});

	it("asks only for its last byte when all of it is held, and verifies all of it", async () => {
		const upload = await videoStore.begin(KEY, { note: writeNote({ validator: "v1", totalBytes: LENGTH }) });
		await upload.write(VIDEO);
		await upload.suspend();
		expect(await attempt([serving(LENGTH, { checksums: CHECKSUMS })])).toMatchObject(kept());
		expect([asked, read]).toEqual([[`${LENGTH - 1} of v1`], 1]);
	});

	it("reads no byte but the last again when only the end was missed", async () => {
		const last: Answer = (options) =>
			(options.offset === LENGTH ? serving(LENGTH, { offset: 0 }) : serving())(options);
		expect(await attempt([serving(LENGTH, BROKEN), last])).toMatchObject(kept());
		expect(read).toBeLessThanOrEqual(LENGTH + 1);
	});
});

describe("bytes that are held", () => {
	const hold = async (): Promise<void> => {
		await attempt([serving(200 * KIB, { ...BROKEN, bytes: bytesOf(7) })]);
		expect(await held()).toBe(200 * KIB);
	};

	it("are thrown away when their object is another one by now", async () => {
		await hold();
		expect(await attempt([serving(LENGTH, { offset: 0, validator: "v2" })])).toMatchObject(kept());
		expect([asked.length, read]).toEqual([2, 200 * KIB + LENGTH]);
	});

	it.each([
		["its source answers from the beginning", { offset: 0 }],
		["its length is another one", { totalBytes: LENGTH + 1 }],
	])("are thrown away within one attempt when %s, at most twice", async (_what, other) => {
		const first = () => serving(512 * KIB, { ...BROKEN, bytes: bytesOf(7) });
		expect(await attempt([first(), serving(LENGTH, other), serving()])).toMatchObject(kept());
		expect(asked).toHaveLength(3);
		const changing = [1, 2, 3].flatMap(() => [first(), serving(LENGTH, other)]);
		videoStore = createMemoryVideoStore();
		const result = await attempt(changing);
		expect(result).toMatchObject(failure("broke-off"));
		expect([asked.length, await held()]).toEqual([9, 0]);
	});

	it("stay when their source starts in the wrong place", async () => {
		await hold();
		for (const offset of [1, 200 * KIB - 1, 200 * KIB + 1]) {
			expect(await attempt([serving(LENGTH, { offset })])).toMatchObject(failure("broke-off"));
		}
		expect(await held()).toBe(200 * KIB);
	});

	it("may be lost by the store: then the download starts anew", async () => {
		await hold();
		const memory = videoStore;
		videoStore = { ...memory, begin: (key) => memory.begin(key) };
		expect(await attempt([serving(), serving()])).toMatchObject(kept());
		expect(asked.slice(1)).toEqual([`${200 * KIB} of v1`, "all"]);
	});

	it.each(["md5", "crc64"] as const)(
		"count for the %s: wrong ones are thrown away, and the video is downloaded from its beginning at once",
		async (name) => {
			await hold();
			const answer = serving(LENGTH, { checksums: { [name]: CHECKSUMS[name] } });
			expect(await attempt([answer, answer])).toMatchObject(
				kept({ originChecksum: `${name}:${CHECKSUMS[name]}` }),
			);
			expect(asked.slice(1)).toEqual([`${200 * KIB} of v1`, "all"]);
		},
	);

	it("are not blamed twice: what is wrong from its beginning is a mismatch", async () => {
		await hold();
		const answer = serving(LENGTH, { checksums: { crc64: "1" } });
		expect(await attempt([answer, answer])).toMatchObject(failure("mismatch"));
		expect([asked.length, await held()]).toEqual([3, 0]);
	});

	it("are thrown away when the video is too large", async () => {
		const fault = sourceFault("too-large", "the video is larger than it may be");
		expect(await attempt([serving(512 * KIB, { fault })])).toMatchObject(failure("too-large"));
		expect([asked.length, await held()]).toEqual([1, 0]);
	});

	it("are not kept against a checksum that only the first connection stated", async () => {
		const first = serving(512 * KIB, { ...BROKEN, bytes: bytesOf(7), checksums: { md5: MD5 } });
		expect(await attempt([first, serving()])).toMatchObject(failure("mismatch"));
	});
	// …and one that only the second stated is a mismatch, because nobody made it.
	it("are kept when only the second connection states a checksum, and it is right", async () => {
		expect(
			await attempt([serving(512 * KIB, BROKEN), serving(LENGTH, { checksums: CHECKSUMS })]),
		).toMatchObject(kept());
	});
});

describe("over HTTP", () => {
	const NAME = "long.mp4";
	const keep = () => keepFrom(LOCAL, presign(NAME));
	const served = (): number => origin.asked(NAME).reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);

	it("a download goes on where it broke off, within an attempt and in the next", async () => {
		origin.put(NAME, VIDEO, { crc64: true });
		origin.fault(NAME, { _tag: "Drop", afterBytes: 384 * KIB }, { _tag: "Drop", afterBytes: 100 * KIB });
		expect(await keep()).toMatchObject(failure("broke-off"));
		expect(await keep()).toMatchObject(kept({ originChecksum: `md5:${MD5}` }));
		const ranges = origin.asked(NAME).map(({ range }) => range);
		expect(ranges).toEqual([undefined, `bytes=${384 * KIB}-`, `bytes=${484 * KIB}-`]);
		expect(served()).toBe(LENGTH);
	});

	it("an object that was replaced is downloaded from its beginning", async () => {
		origin.put(NAME, bytesOf(7));
		origin.fault(NAME, { _tag: "Drop", afterBytes: 200 * KIB }, { _tag: "Replace", by: VIDEO });
		expect(await keep()).toMatchObject(failure("broke-off"));
		expect(await keep()).toMatchObject(kept({ originChecksum: `md5:${MD5}` }));
		expect(origin.asked(NAME).map(({ status }) => status)).toEqual([200, 412, 200]);
	});

	it("a CRC-64 that is right settles an ETag that is no MD5, also of a resumed download, at once", async () => {
		origin.put(NAME, VIDEO, { etag: "other", crc64: true, objectType: "Normal" });
		origin.fault(NAME, { _tag: "Drop", afterBytes: 200 * KIB });
		await keep();
		expect(await keep()).toMatchObject(kept({ originChecksum: `crc64:${CHECKSUMS.crc64}` }));
		expect(await held()).toBe(0);
		expect(served()).toBe(LENGTH);
	});

	it("a video is none to an origin that calls it a page, unless its checksum is right", async () => {
		const page = { _tag: "Headers", headers: { "content-type": "text/html; charset=utf-8" } } as const;
		origin.put(NAME, VIDEO, { etag: "none" });
		origin.fault(NAME, page, { _tag: "All", faults: [page, { _tag: "NoLength" }] });
		expect(await keep()).toMatchObject(failure("mismatch"));
		expect(await keep()).toMatchObject(failure("mismatch"));
		origin.put(NAME, VIDEO);
		origin.fault(NAME, page);
		expect(await keep()).toMatchObject(kept({ originChecksum: `md5:${MD5}` }));
	});

	it("a CRC-64 that is wrong is a mismatch, though the ETag is the MD5", async () => {
		origin.put(NAME, VIDEO);
		origin.fault(NAME, { _tag: "Headers", headers: { "x-oss-hash-crc64ecma": "1" } });
		expect(await keep()).toMatchObject(failure("mismatch"));
		expect(origin.requests(NAME)).toBe(1);
	});
});
