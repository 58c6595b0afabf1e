import { Mp4Probe } from "@reelkeep/core";
import { sampleVideo } from "@reelkeep/testing";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMp4Probe } from "./mp4-probe.js";

let video: Buffer;
/** The sample's boxes, whole, by type. */
let parts: Readonly<Record<string, Buffer>>;

beforeEach(async () => {
	video = Buffer.from(await sampleVideo());
	parts = Object.fromEntries(split(video).map((box) => [box.toString("latin1", 4, 8), box]));
	vi.spyOn(console, "error");
	vi.spyOn(console, "warn");
});
afterEach(() => {
	expect(console.error).not.toHaveBeenCalled();
	expect(console.warn).not.toHaveBeenCalled();
	vi.restoreAllMocks();
});

function split(bytes: Buffer): readonly Buffer[] {
	if (bytes.length === 0) return [];
	const size = bytes.readUInt32BE();
	return [bytes.subarray(0, size), ...split(bytes.subarray(size))];
}

function box(type: string, ...bodies: readonly Uint8Array[]): Buffer {
	const body = Buffer.concat(bodies);
	return Buffer.concat([words(8 + body.length), Buffer.from(type, "latin1"), body]);
}

function words(...values: readonly number[]): Buffer {
	const bytes = Buffer.alloc(4 * values.length);
	for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, 4 * at);
	return bytes;
}

const file = (...boxes: readonly (Buffer | undefined)[]): Buffer =>
	Buffer.concat(boxes.map((each) => each ?? Buffer.alloc(0)));

/** The index with the words behind the name of its table `type`, from word `at` on, replaced. */
function withTable(
	index: Buffer | undefined,
	type: string,
	at: number,
	...values: readonly number[]
): Buffer {
	const changed = Buffer.from(index ?? []);
	words(...values).copy(changed, changed.indexOf(type) + 4 + 4 * at);
	return changed;
}

/** An index of one track with such tables. */
function indexOf(tables: readonly Buffer[], ...behind: readonly Buffer[]): Buffer {
	const header = box("mvhd", words(0, 0, 0, 1000, 2000), Buffer.alloc(80));
	const mediaHeader = box("mdhd", words(0, 0, 0, 1000, 2000, 0));
	const track = box("trak", box("mdia", mediaHeader, box("minf", box("stbl", ...tables))));
	return box("moov", header, track, ...behind);
}

function probe(bytes: Uint8Array, chunkBytes = bytes.length || 1): Promise<Mp4Probe> {
	const look = createMp4Probe();
	for (let at = 0; at < bytes.length; at += chunkBytes) look.update(bytes.subarray(at, at + chunkBytes));
	return look.result();
}

describe("a look into an MP4", () => {
	it("tells what the sample is, whatever the pieces that it comes in", async () => {
		const seen = { isPlayable: true, durationMs: 2_000, codecs: ["avc1.42c015"] };
		const pieces = fc.integer({ min: 1, max: video.length });
		await fc.assert(
			fc.asyncProperty(pieces, async (chunkBytes) => {
				expect(await probe(video, chunkBytes)).toEqual(seen);
			}),
			{ numRuns: 40, examples: [[1], [7], [16]] },
		);
	});

	it("keeps nothing of a chunk, which may be written over", async () => {
		const look = createMp4Probe();
		const chunk = Buffer.alloc(100);
		for (let at = 0; at < video.length; at += chunk.length) {
			const copied = video.copy(chunk, 0, at);
			look.update(chunk.subarray(0, copied));
			chunk.fill(0);
		}
		expect(await look.result()).toMatchObject({ isPlayable: true });
	});

	it("finds the index behind the media data, sizes of 64 bits, and a box that goes on to the end", async () => {
		const { ftyp, moov, mdat = Buffer.alloc(0), free } = parts;
		const body = mdat.subarray(8);
		const wide = (start: number) => {
			const chunks = withTable(moov, "stco", 2, start);
			expect(chunks.length).toBe(moov?.length);
			return chunks;
		};
		const start = ftyp?.length ?? 0;
		const long = file(words(1), Buffer.from("mdat"), words(0, body.length + 16), body);
		expect(await probe(file(ftyp, long, wide(start + 16)))).toMatchObject({ isPlayable: true });
		const endless = file(ftyp, wide(start + (moov?.length ?? 0) + 8), words(0), Buffer.from("mdat"), body);
		expect(await probe(endless)).toMatchObject({ isPlayable: true });
		expect(await probe(file(video, free, box("uuid", Buffer.alloc(16))))).toMatchObject({ isPlayable: true });
	});

	it("takes fragments for what the tables of the index do not name", async () => {
		const empty = [box("stts", words(0, 0)), box("stsz", words(0, 0, 0)), box("stco", words(0, 0))];
		const extension = box("mvex", box("mehd", words(0, 7_000)));
		const index = indexOf(empty, extension);
		const fragment = file(box("moof", Buffer.alloc(8)), box("mdat", Buffer.alloc(9)));
		const { ftyp } = parts;
		expect(await probe(file(ftyp, index, fragment, fragment))).toEqual({
			isPlayable: true,
			durationMs: 2_000,
		});
		expect(await probe(file(box("styp", Buffer.alloc(8)), index, fragment))).toMatchObject({
			isPlayable: true,
		});
		expect(await probe(file(ftyp, index, box("mdat", Buffer.alloc(9))))).toMatchObject({ isPlayable: false });
		expect(await probe(file(ftyp, indexOf(empty), fragment))).toMatchObject({ isPlayable: false });
	});

	it("says what is wrong with a file that is none that a player can play", async () => {
		const { ftyp, moov, mdat } = parts;
		const problems: readonly (readonly [Buffer, string])[] = [
			[file(), "it is empty"],
			[Buffer.from("<html>nothing here</html>"), "it does not begin with its type (ftyp)"],
			[file(mdat, ftyp, moov), "it does not begin with its type (ftyp)"],
			[file(ftyp, Buffer.from("\0\0\0\x10\0\0\0\0")), `there is no box at byte ${ftyp?.length}`],
			[file(ftyp, mdat), "it has no index (moov)"],
			[file(ftyp, moov), "it has no media data (mdat)"],
			[file(ftyp, moov, box("mdat")), "it has no media data (mdat)"],
			[file(ftyp, moov, mdat, moov), "it has more than one index (moov)"],
			[video.subarray(0, -5), "it ends inside a box (mdat): 5 bytes are missing"],
			[file(video, Buffer.from("\0\0")), "it ends inside the header of a box"],
			[file(ftyp, box("moov"), mdat), "its index (moov) is damaged"],
			[file(ftyp, indexOf([]), mdat), "its index (moov) is damaged"],
			[
				file(ftyp, withTable(moov, "stco", 2, 3), mdat),
				"its index (moov) points outside its media data (mdat)",
			],
			[
				file(ftyp, withTable(moov, "stco", 2, video.length), mdat),
				"its index (moov) points outside its media data (mdat)",
			],
			[file(ftyp, withTable(moov, "stsz", 2, 0), mdat), "no track has samples with a duration"],
			[file(ftyp, withTable(moov, "stts", 3, 0), mdat), "no track has samples with a duration"],
		];
		for (const [bytes, problem] of problems) {
			expect(await probe(bytes)).toMatchObject({ isPlayable: false, problem });
		}
	});
});

describe("hostile bytes", () => {
	const isSound = (seen: unknown) => Mp4Probe.is(seen);

	it("are no video when they are the start of one", async () => {
		await fc.assert(
			fc.asyncProperty(fc.nat({ max: video.length - 1 }), async (end) => {
				expect(await probe(video.subarray(0, end))).toMatchObject({ isPlayable: false });
			}),
			{ numRuns: 200 },
		);
	});

	it("end in an answer, whatever of a video they damage", async () => {
		const change = fc.record({
			at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
			/** Most changes meet the index: the media data are not looked at. */
			isInIndex: fc.boolean(),
			with: fc.oneof(
				fc.uint8Array({ minLength: 1, maxLength: 8 }),
				fc.constantFrom(words(0xffff_ffff), words(0), words(1), words(0x7fff_ffff), Buffer.from("stsz")),
			),
			removed: fc.constantFrom(0, 0, 4, 4, 4, 8, 100),
		});
		const indexStart = video.indexOf("moov");
		const indexBytes = parts.moov?.length ?? 0;
		await fc.assert(
			fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
				let bytes: Buffer = video;
				for (const { at, isInIndex, with: put, removed } of changes) {
					const start = Math.floor(isInIndex ? indexStart + at * indexBytes : at * bytes.length);
					bytes = Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + removed)]);
				}
				expect(await probe(bytes, 1_000)).toSatisfy(isSound);
			}),
			{ numRuns: 1_500 },
		);
	});

	it("do not make it count to what a table claims", { timeout: 5_000 }, async () => {
		const { ftyp, moov = Buffer.alloc(0), mdat } = parts;
		const most = 0xffff_ffff;
		const run = box("trun", words(0, most, 0, 0));
		const nested = box("avc1", Buffer.alloc(78), run, box("stsz", words(0, 1, most)));
		const tables = [
			box("stsd", words(0, most), nested),
			box("stts", words(0, 1, 1, 1)),
			box("stsz", words(0, 1, 1)),
			box("stco", words(0, 1, (ftyp?.length ?? 0) + 500)),
		];
		// A descriptor of 2 GiB, in the size's own seven bits a byte.
		const esds = box(
			"esds",
			words(0),
			Buffer.from([3, 0x87, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 5, 0x87, 0xff, 0xff, 0xff, 0x7f]),
		);
		const audio = [box("stsd", words(0, 1), box("mp4a", Buffer.alloc(28), esds)), ...tables.slice(1)];
		const indexes = [
			indexOf(audio),
			withTable(moov, "stsz", 1, 1, most),
			withTable(moov, "stsz", 1, 0, most),
			withTable(moov, "stts", 1, most),
			withTable(moov, "stco", 1, most),
			withTable(moov, "stsd", 1, most),
			indexOf(tables),
		];
		for (const index of indexes) expect(await probe(file(ftyp, index, mdat))).toSatisfy(isSound);
	});

	it("cost time and memory in proportion to what came", { timeout: 20_000 }, async () => {
		const { ftyp, mdat } = parts;
		const MIB = 1024 * 1024;
		const claimed = file(ftyp, words(33 * MIB), Buffer.from("moov"));
		expect(await probe(claimed)).toMatchObject({ problem: expect.stringContaining("larger than") });
		const unstated = file(ftyp, words(0), Buffer.from("moov"), Buffer.alloc(33 * MIB));
		expect(await probe(unstated, 64 * 1024)).toMatchObject({
			problem: expect.stringContaining("larger than"),
		});
		let deep = box("wave");
		for (let depth = 0; depth < 1_000; depth += 1) deep = box(depth % 2 === 0 ? "moov" : "trak", deep);
		expect(await probe(file(ftyp, deep, mdat))).toMatchObject({ isPlayable: false });
		const crowded = box("moov", ...Array<Buffer>(100_000).fill(box("trak")));
		expect(await probe(file(ftyp, crowded, mdat), 1)).toMatchObject({ isPlayable: false });
		const offsets = Buffer.alloc(4_000_000, 0xf0);
		const full = [
			box("stts", words(0, 1, 1, 1)),
			box("stsz", words(0, 1, 1)),
			box("stco", words(0, 1_000_000), offsets),
		];
		const media = Array<Buffer>(5_000).fill(box("mdat", Buffer.alloc(1)));
		expect(await probe(file(ftyp, indexOf(full), ...media.slice(0, 4_000)))).toMatchObject({
			isPlayable: false,
		});
		expect(await probe(file(ftyp, indexOf(full), ...media))).toMatchObject({ isPlayable: true });
	});

	it("leave mp4box as they found it", async () => {
		const name: string = "mp4box";
		const library = await import(name);
		const before = { box: library.BoxParser.box, error: library.Log.error };
		await probe(file(parts.ftyp, withTable(parts.moov, "stsd", 2, 3), parts.mdat));
		expect({ box: library.BoxParser.box, error: library.Log.error }).toEqual(before);
		expect(Object.keys(before.box).length).toBeGreaterThan(100);
	});
});
