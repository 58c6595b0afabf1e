// Text parts of `multipart/form-data`, through @fastify/busboy (Node's official SDK and C's send nothing else).

import { Busboy, type BusboyConfig, type BusboyInstance } from "@fastify/busboy";
import type { HttpLimits } from "./limits.js";
import { type AddParameter, decodeUtf8, NOT_UTF8 } from "./parameter-collector.js";

/** A part's own headers: a name, a type, an encoding. */
const MAX_PART_HEADER_BYTES = 4096;
const MAX_PART_HEADERS = 16;
/** The body is complete and in memory, so this is far more than parsing takes; it ends what would never finish. */
const MAX_PARSE_TIME_MS = 2_000;

const PIECE_BYTES = 4096;

const MALFORMED = "the multipart body is malformed";

/**
 * Adds every text part; returns what is wrong, if anything is. Parts with a filename are files: TOP leaves them out of
 * the signature, so they are thrown away. Never rejects for what was sent.
 */
export async function readMultipart(
	body: Uint8Array,
	contentType: string,
	add: AddParameter,
	limits: HttpLimits,
): Promise<string | undefined> {
	let parser: BusboyInstance;
	try {
		parser = new Busboy(configure(contentType, limits));
	} catch {
		return "the multipart body has no boundary";
	}
	const parts: Part[] = [];
	const malformed = await parse(parser, body, parts, limits);
	if (malformed !== undefined) return malformed;
	for (const part of parts) {
		const wrong = addPart(part, add);
		if (wrong !== undefined) return wrong;
	}
	return undefined;
}

interface Part {
	readonly name: string | undefined;
	readonly chunks: Buffer[];
}

/** Collects text parts in their order; resolves with what is wrong, if anything is. */
function parse(
	parser: BusboyInstance,
	body: Uint8Array,
	parts: Part[],
	limits: HttpLimits,
): Promise<string | undefined> {
	return new Promise((resolve) => {
		const timer = setTimeout(() => resolve(MALFORMED), MAX_PARSE_TIME_MS);
		let isFinished = false;
		const finish = (wrong?: string): void => {
			isFinished = true;
			clearTimeout(timer);
			resolve(wrong);
		};
		parser.on("file", (name: string | undefined, stream, fileName: string | undefined) => {
			stream.on("error", () => {}); // the parser says so too
			if (fileName !== undefined) return void stream.resume();
			const part: Part = { name, chunks: [] };
			parts.push(part);
			stream.on("data", (chunk: Buffer) => part.chunks.push(chunk));
		});
		parser.on("partsLimit", () => finish(`more than ${limits.maxParameters} parameters`));
		parser.on("error", () => finish(MALFORMED));
		parser.on("finish", () => finish());
		feed(parser, body, () => isFinished);
	});
}

/** In pieces, so that a body of nothing but boundaries is not parsed to its end when its first ones are too many. */
function feed(parser: BusboyInstance, body: Uint8Array, isFinished: () => boolean): void {
	const writeFrom = (from: number): void => {
		for (let at = from; at < body.length; at += PIECE_BYTES) {
			if (isFinished()) return;
			if (!parser.write(body.subarray(at, at + PIECE_BYTES))) {
				parser.once("drain", () => writeFrom(at + PIECE_BYTES));
				return;
			}
		}
		parser.end();
	};
	writeFrom(0);
}

/** Every part is taken as a file, because busboy decodes what it takes for a field and loses invalid bytes. */
function configure(contentType: string, limits: HttpLimits): BusboyConfig {
	return {
		headers: { "content-type": contentType },
		isPartAFile: () => true,
		limits: {
			parts: limits.maxParameters,
			headerPairs: MAX_PART_HEADERS,
			headerSize: MAX_PART_HEADER_BYTES,
		},
	};
}

function addPart({ name = "", chunks }: Part, add: AddParameter): string | undefined {
	const value = decodeUtf8(Buffer.concat(chunks));
	return value === undefined ? NOT_UTF8 : add(name, value);
}
