// GPAC's mp4box, told to parse one box at a time and nothing in it that it was not asked for (ADR 0027).

/** What is used of it. Its own declarations need the DOM's, which a server's build does not have. */
interface Library {
	readonly BoxParser: { box: Record<string, unknown> };
	readonly Log: { error: (...said: readonly unknown[]) => void };
	readonly MP4BoxBuffer: { fromArrayBuffer(bytes: ArrayBuffer, fileStart: number): object };
	readonly MultiBufferStream: new (buffer: object) => object;
	readonly createFile: (keepMediaData: boolean, stream: object) => { readonly boxes: readonly unknown[] };
}

/** The members of a parsed box that are asked for; damage may have left out any of them. */
interface ParsedBox {
	readonly timescale?: number;
	readonly duration?: number;
	readonly fragment_duration?: number;
	readonly sample_counts?: readonly number[];
	readonly sample_deltas?: readonly number[];
	readonly chunk_offsets?: readonly number[];
	readonly entries?: readonly { readonly type: string; getCodec(): string }[];
}

/**
 * Parses one whole box, header and all; `undefined` when it cannot be. Boxes within it are parsed only when their type
 * is among `nested`. Never throws.
 */
export type ParseBox = (box: Uint8Array, type: string, nested?: readonly string[]) => ParsedBox | undefined;

/**
 * Loads mp4box, an optional dependency.
 * *Errors*: rejects with an `Error` that says what to install when it is not there.
 */
export async function loadMp4Parser(): Promise<ParseBox> {
	// By a name that the compiler does not follow: see `Library`.
	const name: string = "mp4box";
	const library: Library = await import(name).catch((cause: unknown) => {
		throw new Error("looking into MP4 files needs the package mp4box, which is not installed", { cause });
	});
	return (box, type, nested = []) => {
		const { BoxParser, Log } = library;
		const { box: known } = BoxParser;
		const { error } = Log;
		// Both belong to the whole process, which may use mp4box too: they are as they were when this returns. A table
		// where none belongs could claim any number of entries, and damage is no reason to write to standard error.
		BoxParser.box = Object.fromEntries([type, ...nested].map((each) => [each, known[each]]));
		Log.error = () => undefined;
		try {
			const bytes = new Uint8Array(box).buffer;
			const stream = new library.MultiBufferStream(library.MP4BoxBuffer.fromArrayBuffer(bytes, 0));
			return library.createFile(false, stream).boxes[0] as ParsedBox | undefined;
		} catch {
			return undefined;
		} finally {
			BoxParser.box = known;
			Log.error = error;
		}
	};
}
