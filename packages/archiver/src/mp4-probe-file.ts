// Walks the outermost boxes of a video while it comes in, by their sizes alone; of all bodies it holds the index's only.

import { type BoxHeader, MOST_HEADER_BYTES, readBoxHeader } from "./mp4-probe-boxes.js";

/** Ten hours of video have an index of a few MiB. */
export const MAX_INDEX_BYTES = 32 * 1024 * 1024;
/** One is usual. A fragmented file has one for each fragment, and no table that points into them. */
const MAX_MEDIA_RANGES = 4_096;

/** Bytes of the file, from `start` up to, not including, `end`. */
export interface ByteRange {
	readonly start: number;
	readonly end: number;
}

export interface FileBoxes {
	/** Why the bytes are no sequence of whole boxes, for people. */
	readonly problem?: string;
	readonly firstType?: string;
	/** The bodies of `moov` boxes; one is right. */
	readonly indexes: readonly Uint8Array[];
	/** The bodies of `mdat` boxes, in order; empty ones left out. */
	readonly media: readonly ByteRange[];
	/** Whether there were more than `media` names. */
	readonly hasMoreMedia: boolean;
	/** How many `moof` boxes there are. */
	readonly fragments: number;
}

export interface FileWalk {
	/** Looks at the next bytes. Keeps none of `chunk` itself. Never throws. */
	update(chunk: Uint8Array): void;
	/** What the file consists of, now that all of it came. */
	result(): FileBoxes;
}

interface OpenBox extends BoxHeader {
	readonly start: number;
	/** Bytes of it that have not come yet. */
	left: number;
}

/**
 * Starts a walk. Holds little more than what came of the index, and once a sixteenth of it has come the room for all of
 * it: at most `MAX_INDEX_BYTES`, and an eighth more for the moment in which it gets that room.
 */
export function createFileWalk(): FileWalk {
	const header = new Uint8Array(MOST_HEADER_BYTES);
	const media: ByteRange[] = [];
	const indexes: Uint8Array[] = [];
	let headerBytes = 0;
	let position = 0;
	let open: OpenBox | undefined;
	let index = createByteBuffer(0);
	let firstType: string | undefined;
	let fragments = 0;
	let hasMoreMedia = false;
	let problem: string | undefined;

	const begin = ({ type, size = Number.POSITIVE_INFINITY, headerBytes: length }: BoxHeader): void => {
		firstType ??= type;
		if (type === "moof") fragments += 1;
		if (type === "moov") {
			if (indexes.length > 0) problem = "it has more than one index (moov)";
			if (Number.isFinite(size) && size > MAX_INDEX_BYTES) problem = tooLarge();
			index = createByteBuffer(Math.min(size, MAX_INDEX_BYTES) - length);
		}
		open = { type, size, headerBytes: length, start: position - length, left: size - length };
		headerBytes = 0;
		if (open.left === 0) end(open);
	};
	const end = ({ type, start, headerBytes: length }: OpenBox): void => {
		open = undefined;
		if (type === "moov") {
			indexes.push(index.take());
		}
		if (type !== "mdat" || start + length === position) return;
		if (media.length < MAX_MEDIA_RANGES) media.push({ start: start + length, end: position });
		else hasMoreMedia = true;
	};
	/** Takes what `chunk` has of the body of `box`; returns how much that is. */
	const takeBody = (box: OpenBox, chunk: Uint8Array): number => {
		const taken = Math.min(box.left, chunk.length);
		position += taken;
		box.left -= taken;
		if (box.type === "moov") {
			// One whose size is not stated is seen to be too large only now.
			if (position - box.start > MAX_INDEX_BYTES) problem = tooLarge();
			else index.add(chunk.subarray(0, taken));
		}
		if (box.left === 0) end(box);
		return taken;
	};
	/** Takes bytes of a header until it is whole; returns how many. */
	const takeHeader = (chunk: Uint8Array): number => {
		const known = readBoxHeader(header.subarray(0, headerBytes));
		const wanted = (typeof known === "number" ? known : MOST_HEADER_BYTES) - headerBytes;
		const taken = Math.min(wanted, chunk.length);
		header.set(chunk.subarray(0, taken), headerBytes);
		headerBytes += taken;
		position += taken;
		const read = readBoxHeader(header.subarray(0, headerBytes));
		if (read === undefined) problem = `there is no box at byte ${position - headerBytes}`;
		else if (typeof read !== "number") begin(read);
		return taken;
	};

	return {
		update(chunk) {
			let at = 0;
			while (at < chunk.length && problem === undefined) {
				const rest = chunk.subarray(at);
				at += open === undefined ? takeHeader(rest) : takeBody(open, rest);
			}
			if (problem !== undefined) index.take();
		},
		result() {
			if (open !== undefined && !Number.isFinite(open.left)) end(open);
			if (headerBytes > 0) problem ??= "it ends inside the header of a box";
			if (open !== undefined) {
				problem ??= `it ends inside a box (${open.type}): ${open.left} bytes are missing`;
			}
			return {
				...(problem === undefined ? {} : { problem }),
				...(firstType === undefined ? {} : { firstType }),
				indexes,
				media,
				hasMoreMedia,
				fragments,
			};
		},
	};
}

/**
 * At most `maxBytes` in one piece: a list of the chunks would cost a hundred times what chunks of one byte hold. It doubles
 * up to an eighth of that, and then has room for all of it: old and new are never held together at their largest.
 */
function createByteBuffer(maxBytes: number) {
	let bytes = new Uint8Array();
	let length = 0;
	return {
		add(chunk: Uint8Array): void {
			const needed = length + chunk.length;
			if (needed > bytes.length) {
				const wider = new Uint8Array(2 * needed > maxBytes / 8 ? maxBytes : 2 * needed);
				wider.set(bytes.subarray(0, length));
				bytes = wider;
			}
			bytes.set(chunk, length);
			length = needed;
		},
		/** All of them; there are none afterwards. */
		take(): Uint8Array {
			const taken = bytes.subarray(0, length);
			bytes = new Uint8Array();
			length = 0;
			return taken;
		},
	};
}

function tooLarge(): string {
	return `its index (moov) is larger than the ${MAX_INDEX_BYTES} bytes that are looked at`;
}
