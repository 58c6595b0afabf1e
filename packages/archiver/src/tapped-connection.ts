// A connection for node:http past which a body can be read. Node gives each 64 KiB of a body memory of its own, and to
// collect that takes as long as to hash a video. Here node:http reads the answer's head, and any body without a stated
// length; a body with one comes through a single buffer (ADR 0031).

import type { OnReadOpts, Socket } from "node:net";
import { Duplex } from "node:stream";

/** For heads, and whatever goes through node:http. */
const READ_BYTES = 64 * 1024;
/** For a body: large ones come faster in large pieces, and of small ones there may be many at once. */
const MAX_READ_BYTES = 1024 * 1024;
const READS_OF_A_BODY = 128;
const END_OF_HEAD = "\r\n\r\n";
const NOTHING = Buffer.alloc(0);

/** The bytes of an answer's body; each chunk is overwritten once the next one is asked for. */
export interface AnswerBody extends AsyncIterable<Uint8Array> {
	/** Ends it, and its connection; whoever reads it gets `error`. */
	destroy(error?: Error): unknown;
}

export interface TappedConnection {
	/** What node:http speaks through. Says `connect` and `secureConnect` as its socket does. */
	readonly stream: Duplex;
	/** The answer's head is read: hands out the body's `bytes` past node:http, which sees none of them. */
	takeBody(bytes: number): AnswerBody;
	/** The answer's head is read, or one that only informs: what follows is node:http's. `isBody`: without looking for heads. */
	pass(next: { readonly isBody: boolean }): void;
}

/**
 * - `head`: goes to node:http, up to the blank line behind it
 * - `between`: there was a blank line, and node:http has not said yet what it ended; nothing is read
 * - `passed`: all that comes is node:http's
 * - `taken`: all that comes is a body's
 */
type Phase = "head" | "between" | "passed" | "taken";

/** Taps the connection that `connect` makes with these options. */
export function tapConnection(
	connect: (options: { readonly onread: OnReadOpts }) => Socket,
): TappedConnection {
	let buffer = Buffer.allocUnsafeSlow(READ_BYTES);
	let phase: Phase = "head";
	/** What has come and was handed to nobody yet; nothing more is read meanwhile. */
	let held: Buffer = NOTHING;
	/** The last bytes of the head so far: its end may come in two pieces. */
	let tail = "";
	let isOver = false;
	let failure: Error | undefined;
	let wake = (): void => undefined;

	const isReading = (): boolean => held.length === 0 && (phase === "head" || phase === "passed");
	/** Hands on what is node:http's. Returns whether more may come at once. */
	const handOn = (): boolean => {
		let hasRoom = true;
		if (held.length > 0 && (phase === "head" || phase === "passed")) {
			const bytes = phase === "passed" ? held.length : readHead();
			const passed = Buffer.from(held.subarray(0, bytes));
			held = held.subarray(bytes);
			// Whoever hears of a whole head within this call may say at once what is to come of the rest.
			hasRoom = stream.push(passed);
		}
		if (isOver && isReading()) stream.push(null);
		return hasRoom && isReading();
	};
	/** How many of the bytes at hand are of the head: up to the blank line behind it, all of them when there is none. */
	const readHead = (): number => {
		const text = tail + held.toString("latin1");
		const at = text.indexOf(END_OF_HEAD);
		if (at < 0) {
			tail = text.slice(1 - END_OF_HEAD.length);
			return held.length;
		}
		phase = "between";
		const bytes = at + END_OF_HEAD.length - tail.length;
		tail = "";
		return bytes;
	};

	const socket = connect({
		onread: {
			buffer: () => buffer,
			callback(bytes, into) {
				held = Buffer.from(into.buffer, into.byteOffset, bytes);
				wake();
				return handOn();
			},
		},
	});
	const stream = new Duplex({
		readableHighWaterMark: READ_BYTES,
		read() {
			if (isReading()) socket.resume();
		},
		write(chunk, encoding, done) {
			socket.write(chunk, encoding, done);
		},
		final(done) {
			socket.end(done);
		},
		destroy(error, done) {
			socket.destroy();
			failure ??= error ?? undefined;
			isOver = true;
			wake();
			done(error);
		},
	});
	for (const event of ["connect", "secureConnect"]) socket.once(event, () => stream.emit(event));
	socket.once("end", () => {
		isOver = true;
		wake();
		handOn();
	});
	socket.once("error", (error) => stream.destroy(error));
	socket.once("close", () => stream.destroy());

	async function* readTaken(bytes: number): AsyncGenerator<Uint8Array, void, void> {
		for (let left = bytes; left > 0; ) {
			if (held.length === 0) {
				if (isOver) throw failure ?? new Error("the connection ended within the body");
				const arrived = new Promise<void>((resolve) => {
					wake = resolve;
				});
				socket.resume();
				await arrived;
				continue;
			}
			const chunk = held.subarray(0, left);
			left -= chunk.length;
			yield chunk;
			held = NOTHING;
		}
	}
	return {
		stream,
		takeBody(bytes) {
			phase = "taken";
			const readBytes = Math.min(Math.ceil(bytes / READS_OF_A_BODY), MAX_READ_BYTES);
			if (readBytes > READ_BYTES) buffer = Buffer.allocUnsafeSlow(readBytes);
			return {
				[Symbol.asyncIterator]: () => readTaken(bytes),
				destroy(error) {
					failure ??= error;
					stream.destroy();
				},
			};
		},
		pass({ isBody }) {
			phase = isBody ? "passed" : "head";
			// Not at once: this is called from within node:http's parser, which cannot be given more before it returns.
			process.nextTick(() => {
				if (handOn()) socket.resume();
			});
		},
	};
}
