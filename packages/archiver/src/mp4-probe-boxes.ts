// The boxes of an MP4 (ISO/IEC 14496-12, 4.2): a size, a type, and a body that may be boxes again. Pure.

/** A size of 32 bits and a type; one of 64 bits may follow. */
const LEAST_HEADER_BYTES = 8;
export const MOST_HEADER_BYTES = 16;
/** Real ones have a few tens; more would cost memory and tell nothing. */
const MAX_SIBLINGS = 4_096;
/** As the letters of Latin-1: QuickTime's types begin with © at times. */
const TYPE = /^[\x20-\x7e\xa9]{4}$/;

export interface BoxHeader {
	readonly type: string;
	readonly headerBytes: number;
	/** Of the whole box; absent: it goes on to the end of what it is in. */
	readonly size?: number;
}

/**
 * Reads the header at the start of `bytes`.
 * *Shape*: a number: so many bytes are needed to tell; `undefined`: this is no box.
 */
export function readBoxHeader(bytes: Uint8Array): BoxHeader | number | undefined {
	if (bytes.length < LEAST_HEADER_BYTES) return LEAST_HEADER_BYTES;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const type = String.fromCharCode(...bytes.subarray(4, LEAST_HEADER_BYTES));
	if (!TYPE.test(type)) return undefined;
	const short = view.getUint32(0);
	if (short === 0) return { type, headerBytes: LEAST_HEADER_BYTES };
	if (short !== 1) return headerOf(type, LEAST_HEADER_BYTES, short);
	if (bytes.length < MOST_HEADER_BYTES) return MOST_HEADER_BYTES;
	return headerOf(type, MOST_HEADER_BYTES, Number(view.getBigUint64(LEAST_HEADER_BYTES)));
}

/** A box inside bytes that are held. */
export interface HeldBox {
	readonly type: string;
	/** With its header. */
	readonly whole: Uint8Array;
	readonly body: Uint8Array;
}

/** All boxes that `bytes` consist of; `undefined` when they do not consist of boxes, or of more than a few thousand. */
export function splitBoxes(bytes: Uint8Array): readonly HeldBox[] | undefined {
	const boxes: HeldBox[] = [];
	let rest = bytes;
	while (rest.length > 0) {
		const header = readBoxHeader(rest);
		if (header === undefined || typeof header === "number" || boxes.length === MAX_SIBLINGS) return undefined;
		const { type, headerBytes, size = rest.length } = header;
		if (size > rest.length) return undefined;
		const whole = rest.subarray(0, size);
		boxes.push({ type, whole, body: whole.subarray(headerBytes) });
		rest = rest.subarray(size);
	}
	return boxes;
}

function headerOf(type: string, headerBytes: number, size: number): BoxHeader | undefined {
	return size >= headerBytes && Number.isSafeInteger(size) ? { type, headerBytes, size } : undefined;
}
