// What an MP4's index (moov) says: its tracks, how long they are, and where in the file their samples are.

import { type HeldBox, splitBoxes } from "./mp4-probe-boxes.js";
import type { ParseBox } from "./mp4-probe-library.js";

/** A recording has two or three. */
const MAX_TRACKS = 64;
/** A few hundred bytes are usual. What mp4box does with nested boxes grows with the square of this. */
const MAX_DESCRIPTION_BYTES = 16 * 1024;
/** Where the boxes stand that say which codec exactly a track has. */
const CODEC_BOXES = ["avcC", "hvcC", "vvcC", "av1C", "vpcC", "esds"];
const MAX_CODEC_LENGTH = 64;
/** Version and flags, and the number of entries. */
const TABLE_HEADER_BYTES = 8;
/** All bits set: not known. */
const UNKNOWN_DURATION = 0xffff_ffff;

export interface Track {
	readonly codec?: string;
	readonly samples: number;
	/** The samples' time; 0 when they have none. Seconds. */
	readonly seconds: number;
	/** Where its chunks of samples begin in the file. */
	readonly chunkOffsets: readonly number[];
}

export interface MovieIndex {
	readonly tracks: readonly Track[];
	/** As stated for the whole; absent: it is not. Seconds. */
	readonly seconds?: number;
	/** Samples may stand in fragments too (`mvex`). */
	readonly isFragmented: boolean;
}

/** Reads the body of a `moov`; `undefined` when it is damaged. Never throws. *Shape*: linear in its size. */
export function readMovieIndex(body: Uint8Array, parse: ParseBox): MovieIndex | undefined {
	const boxes = splitBoxes(body);
	const header = parse(find(boxes, "mvhd")?.whole ?? new Uint8Array(), "mvhd");
	const trackBoxes = boxes?.filter(({ type }) => type === "trak");
	if (header === undefined || trackBoxes === undefined || trackBoxes.length > MAX_TRACKS) return undefined;
	const tracks: Track[] = [];
	for (const box of trackBoxes) {
		const track = readTrack(box, parse);
		if (track === undefined) return undefined;
		tracks.push(track);
	}
	const extension = find(boxes, "mvex");
	const fragmentHeader = find(inside(extension), "mehd");
	const fragmented = fragmentHeader && parse(fragmentHeader.whole, "mehd")?.fragment_duration;
	const seconds = toSeconds(header.duration, header.timescale) ?? toSeconds(fragmented, header.timescale);
	return { tracks, isFragmented: extension !== undefined, ...(seconds === undefined ? {} : { seconds }) };
}

function readTrack(track: HeldBox, parse: ParseBox): Track | undefined {
	const media = inside(find(inside(track), "mdia"));
	const header = find(media, "mdhd");
	const tables = inside(find(inside(find(media, "minf")), "stbl"));
	const sizes = find(tables, "stsz") ?? find(tables, "stz2");
	const times = find(tables, "stts");
	const chunks = find(tables, "stco") ?? find(tables, "co64");
	if (!header || !sizes || !times || !chunks) return undefined;
	if (!holdsEntries(times, 8) || !holdsEntries(chunks, chunks.type === "co64" ? 8 : 4)) return undefined;
	const samples = countSamples(sizes);
	const { timescale } = parse(header.whole, "mdhd") ?? {};
	const { sample_counts: counts, sample_deltas: deltas } = parse(times.whole, "stts") ?? {};
	const { chunk_offsets: chunkOffsets } = parse(chunks.whole, chunks.type) ?? {};
	if (samples === undefined || !timescale || !counts || !deltas || !chunkOffsets) return undefined;
	const ticks = counts.reduce((sum, count, at) => sum + count * (deltas[at] ?? 0), 0);
	const codec = readCodec(find(tables, "stsd"), parse);
	return { samples, seconds: ticks / timescale, chunkOffsets, ...(codec === undefined ? {} : { codec }) };
}

/** Of `stsz` and `stz2`, read here: where all have one size, mp4box would write that down as often as the box claims. */
function countSamples({ body }: HeldBox): number | undefined {
	return body.length < 12 ? undefined : new DataView(body.buffer, body.byteOffset).getUint32(8);
}

/** Whether a table's claim of entries fits into its box: mp4box takes it at its word. */
function holdsEntries({ body }: HeldBox, entryBytes: number): boolean {
	if (body.length < TABLE_HEADER_BYTES) return false;
	const entries = new DataView(body.buffer, body.byteOffset, body.byteLength).getUint32(4);
	return entries * entryBytes <= body.length - TABLE_HEADER_BYTES;
}

/** Such as `avc1.64001f`; only the sample entry's type where mp4box cannot tell more; `undefined`: not even that. */
function readCodec(description: HeldBox | undefined, parse: ParseBox): string | undefined {
	if (description === undefined || description.whole.length > MAX_DESCRIPTION_BYTES) return undefined;
	const entry = parse(description.whole, "stsd", CODEC_BOXES)?.entries?.[0];
	if (entry === undefined) return undefined;
	const codec = codecOf(entry);
	return /^[\x21-\x7e]+$/.test(codec) ? codec.slice(0, MAX_CODEC_LENGTH) : undefined;
}

function codecOf(entry: { readonly type: string; getCodec(): string }): string {
	try {
		return entry.getCodec();
	} catch {
		return entry.type;
	}
}

function toSeconds(duration: number | undefined, timescale: number | undefined): number | undefined {
	if (!duration || !timescale || duration === UNKNOWN_DURATION) return undefined;
	return Number.isSafeInteger(duration) ? duration / timescale : undefined;
}

function inside(box: HeldBox | undefined): readonly HeldBox[] | undefined {
	return box && splitBoxes(box.body);
}

function find(boxes: readonly HeldBox[] | undefined, type: string): HeldBox | undefined {
	return boxes?.find((box) => box.type === type);
}
