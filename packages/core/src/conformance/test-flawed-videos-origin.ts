// For the test of the video source's suite only: an origin in memory, without a wire.

import { md5 } from "@noble/hashes/legacy.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { pause } from "./pause.js";
import type { ServedObject, StrayLink } from "./video-source.js";

const CHUNK_BYTES = 64 * 1024;
/** Objects are served many times. */
const hashes = new WeakMap<Uint8Array, string>();

function md5Of(bytes: Uint8Array): string {
	const known = hashes.get(bytes) ?? bytesToHex(md5(bytes));
	hashes.set(bytes, known);
	return known;
}

interface Asked {
	readonly from: number;
	/** The object that a part is to be of; `undefined`: of any. */
	readonly ifSame?: string | undefined;
}

export interface Answer {
	readonly status:
		| "whole"
		| "part"
		| "behind"
		| "absent"
		| "expired"
		| "refused"
		| "busy"
		| "redirect"
		| "unreachable";
	/** Where the body starts. */
	readonly start: number;
	readonly validator?: string;
	/** The whole object's. */
	readonly totalBytes?: number;
	readonly md5?: string;
	readonly retryAfterMs?: number;
	readonly redirectsTo?: string;
	/** Throws when the connection breaks, or is closed. */
	readonly body: AsyncIterable<Uint8Array>;
	close(): void;
}

/** Rejects when `signal` aborts before an answer comes. */
export type Ask = (link: string, asked: Asked, signal: AbortSignal) => Promise<Answer>;

export interface MemoryOrigin {
	serve(name: string, object: ServedObject): string;
	strayLink(kind: StrayLink): string;
	underWay(): number;
	readonly ask: Ask;
	close(): void;
}

interface Request {
	readonly closed: Promise<void>;
	isClosed(): boolean;
	close(): void;
}

export function createMemoryOrigin(): MemoryOrigin {
	const objects = new Map<string, ServedObject>();
	const requests = new Set<Request>();
	let serial = 0;
	const sign = (url: string): string => {
		serial += 1;
		return `${url}?Expires=4102444800&Signature=${serial}-c2lnbmF0dXJl`;
	};
	const begin = (): Request => {
		let resolve: () => void = () => undefined;
		const closed = new Promise<void>((settle) => {
			resolve = settle;
		});
		const request: Request = {
			closed,
			isClosed: () => !requests.has(request),
			close() {
				requests.delete(request);
				resolve();
			},
		};
		requests.add(request);
		return request;
	};
	return {
		serve(name, object) {
			objects.set(name, object);
			return sign(`memory://origin/${name}`);
		},
		strayLink: (kind) =>
			sign(`memory://${kind === "unreachable" || kind === "forbidden" ? kind : "origin"}/${kind}`),
		underWay: () => requests.size,
		async ask(link, asked, signal) {
			const [, host, name = ""] = /^memory:\/\/([a-z]+)\/([a-z0-9.-]+)/.exec(link) ?? [];
			if (host === "unreachable" || host === undefined) return NOBODY;
			const request = begin();
			const object = objects.get(name);
			signal.addEventListener("abort", request.close);
			await pause(0);
			if (object?.holdsBack) await request.closed;
			if (request.isClosed() || signal.aborted) throw new Error(`aborted ${link}`);
			return answer(request, object, name, asked);
		},
		close() {
			for (const request of requests) request.close();
		},
	};
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}

const NOBODY: Answer = { status: "unreachable", start: 0, body: noBytes(), close: () => undefined };

function answer(request: Request, object: ServedObject | undefined, name: string, asked: Asked): Answer {
	const nothing = { start: 0, body: bodyOf(request, new Uint8Array(), {}), close: request.close };
	const refuse = (status: Answer["status"], more: Partial<Answer> = {}): Answer => {
		request.close();
		return { ...nothing, status, ...more };
	};
	if (name === "expired" || name === "refused") return refuse(name);
	if (object === undefined) return refuse("absent");
	const { bytes, busyForMs, redirectsTo } = object;
	if (redirectsTo !== undefined) return refuse("redirect", { redirectsTo });
	if (busyForMs !== undefined) return refuse("busy", { retryAfterMs: busyForMs });
	const whole = md5Of(bytes);
	const validator = object.statesNoValidator ? undefined : `"${whole}"`;
	const isSame = object.ignoresCondition || asked.ifSame === undefined || asked.ifSame === validator;
	const isPart = asked.from > 0 && isSame && !object.ignoresRange;
	const start = isPart ? (object.partsStartAt ?? asked.from) : 0;
	if (start >= bytes.length) return refuse("behind");
	const body = bytes.subarray(start);
	return {
		status: isPart ? "part" : "whole",
		start,
		...(validator === undefined ? {} : { validator }),
		...(object.statesNoLength ? {} : { totalBytes: bytes.length }),
		md5: object.statesPartChecksum ? md5Of(body) : whole,
		body: bodyOf(request, body, object),
		close: request.close,
	};
}

async function* bodyOf(
	request: Request,
	body: Uint8Array,
	{ breaksOffAfter = Infinity, silentAfter = Infinity }: Partial<ServedObject>,
): AsyncGenerator<Uint8Array> {
	const end = Math.min(body.length, breaksOffAfter, silentAfter);
	for (let at = 0; at < end; at += CHUNK_BYTES) {
		await pause(0);
		if (request.isClosed()) throw new Error("closed");
		yield body.slice(at, Math.min(at + CHUNK_BYTES, end));
	}
	if (end === silentAfter) await request.closed;
	if (request.isClosed()) throw new Error("closed");
	request.close();
	if (end === breaksOffAfter && end < body.length) throw new Error("connection reset");
}
