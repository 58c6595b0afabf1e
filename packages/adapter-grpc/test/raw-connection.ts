// HTTP/2 by hand, for what no client library sends: frames, header blocks without compression, and a bare socket.

import { once } from "node:events";
import { connect, type Socket } from "node:net";

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
export const REPORT = "/reelkeep.v1.RecordingService/ReportRecording";
export const REPORT_MANY = "/reelkeep.v1.RecordingService/ReportRecordings";
export const SUBSCRIBE = "/reelkeep.v1.RecordingService/SubscribeEvents";

/** RFC 9113, section 6. */
export const Frame = {
	DATA: 0,
	HEADERS: 1,
	PRIORITY: 2,
	RST_STREAM: 3,
	SETTINGS: 4,
	PING: 6,
	GOAWAY: 7,
	WINDOW_UPDATE: 8,
	CONTINUATION: 9,
} as const;
export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const CANCEL = 8;

export interface ReceivedFrame {
	readonly type: number;
	readonly flags: number;
	readonly stream: number;
	readonly payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = NOTHING): Buffer {
	const head = Buffer.alloc(9);
	head.writeUIntBE(payload.length, 0, 3);
	head.writeUInt8(type, 3);
	head.writeUInt8(flags, 4);
	head.writeUInt32BE(stream, 5);
	return Buffer.concat([head, payload]);
}

const NOTHING = Buffer.alloc(0);

export function uint32(value: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(value);
	return bytes;
}

export const SETTINGS = frame(Frame.SETTINGS, 0, 0);
/** What every HTTP/2 connection begins with. */
export const HELLO = Buffer.concat([PREFACE, SETTINGS]);
export const PING = frame(Frame.PING, 0, 0, Buffer.alloc(8));

export type Headers = Readonly<Record<string, string | undefined>>;

/** A call's headers, but for what `changes` says; `undefined` leaves one out. */
export function callHeaders(changes: Headers = {}): Headers {
	return {
		":method": "POST",
		":scheme": "http",
		":path": REPORT,
		":authority": "localhost",
		"content-type": "application/grpc",
		te: "trailers",
		...changes,
	};
}

/** A HEADERS frame that opens `stream`. */
export function open(stream: number, changes: Headers = {}, flags: number = END_HEADERS): Buffer {
	return frame(Frame.HEADERS, flags, stream, headerBlock(callHeaders(changes)));
}

export function data(stream: number, bytes: Uint8Array, flags = 0): Buffer {
	return frame(Frame.DATA, flags, stream, bytes);
}

export function reset(stream: number, code = CANCEL): Buffer {
	return frame(Frame.RST_STREAM, 0, stream, uint32(code));
}

/** One message in gRPC's framing; `flag` and `length` may lie. */
export function grpcMessage(bytes: Uint8Array, { flag = 0, length = bytes.length } = {}): Buffer {
	return Buffer.concat([Buffer.from([flag]), uint32(length), bytes]);
}

/** HPACK (RFC 7541): literals that no table remembers. */
export function headerBlock(headers: Headers): Buffer {
	const fields = Object.entries(headers).filter(([, value]) => value !== undefined);
	return Buffer.concat(fields.map(([name, value = ""]) => literal(0x00, name, value)));
}

/** The same, but the table remembers it as its newest entry. */
export function rememberedField(name: string, value: string): Buffer {
	return literal(0x40, name, value);
}

/** The newest entry of the table. */
export const NEWEST_FIELD = Buffer.from([0x80 | 62]);

function literal(kind: number, name: string, value: string): Buffer {
	return Buffer.concat([Buffer.from([kind]), text(name), text(value)]);
}

function text(value: string): Buffer {
	const bytes = Buffer.from(value, "latin1");
	const length: number[] = [];
	if (bytes.length < 127) length.push(bytes.length);
	else {
		length.push(127);
		let rest = bytes.length - 127;
		for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
		length.push(rest);
	}
	return Buffer.concat([Buffer.from(length), bytes]);
}

export interface RawConnection {
	readonly socket: Socket;
	/** Resolves when there is room for more, or when the connection is closed. */
	send(...bytes: readonly Uint8Array[]): Promise<void>;
	/** Whole frames, in the order in which they came. */
	frames(): readonly ReceivedFrame[];
	/** The first frame that `is` so, when it comes; rejects when the connection closes before that. */
	until(is: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame>;
	readonly closed: Promise<void>;
}

/** `remembers: false`: what comes is read and dropped. */
export async function connectRaw(address: string, { remembers = true } = {}): Promise<RawConnection> {
	const [host = "", port = ""] = address.split(":");
	const socket = connect({ host, port: Number(port), noDelay: true });
	let rest: Buffer = NOTHING;
	const frames: ReceivedFrame[] = [];
	socket.on("error", () => {});
	socket.on("data", (chunk) => {
		if (!remembers) return;
		rest = Buffer.concat([rest, chunk]);
		for (let next = readFrame(rest); next !== undefined; next = readFrame(rest)) {
			frames.push(next);
			rest = rest.subarray(9 + next.payload.length);
		}
		socket.emit("frames");
	});
	const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
	await Promise.race([once(socket, "connect"), closed]);
	return {
		socket,
		closed,
		frames: () => frames,
		async send(...bytes) {
			if (socket.destroyed || socket.write(Buffer.concat(bytes))) return;
			await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
		},
		async until(is) {
			for (;;) {
				const found = frames.find(is);
				if (found !== undefined) return found;
				if (socket.destroyed) throw new Error("the connection was closed before that frame came");
				await Promise.race([new Promise((resolve) => socket.once("frames", resolve)), closed]);
			}
		},
	};
}

function readFrame(bytes: Buffer): ReceivedFrame | undefined {
	if (bytes.length < 9) return undefined;
	const end = 9 + bytes.readUIntBE(0, 3);
	if (bytes.length < end) return undefined;
	return {
		type: bytes.readUInt8(3),
		flags: bytes.readUInt8(4),
		stream: bytes.readUInt32BE(5) & 0x7fffffff,
		payload: bytes.subarray(9, end),
	};
}
