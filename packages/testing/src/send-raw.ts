// Raw bytes to a port, and the whole reply to them: what no client of HTTP would send, or not in this order.

import { connect } from "node:net";
import { gunzipSync } from "node:zlib";

export interface RawReply {
	readonly status: number;
	/** Names in lower case. */
	readonly headers: ReadonlyMap<string, string>;
	/** Put together from its chunks, and unpacked where it was gzip. */
	readonly body: string;
	/** All of it as it was on the wire. */
	readonly raw: Buffer;
}

const REPLY_TIME_MS = 15_000;
/** The one status below 200 that is an answer: what follows it is no HTTP any more. */
const SWITCHING_PROTOCOLS = 101;

/**
 * Sends bytes to `address` (`http://host:port`) as they are, on a connection of their own. A `100 Continue` and its like are
 * not the reply, but what comes before it. Rejects when it ends, or is silent for 15 s, without a whole reply, and when that
 * says gzip and is none.
 */
export function sendRaw(address: string, bytes: Uint8Array): Promise<RawReply> {
	const { hostname, port } = new URL(address);
	return new Promise((resolve, reject) => {
		const socket = connect(Number(port || 80), hostname.replace(/^\[|\]$/g, ""));
		let received = Buffer.alloc(0);
		const finish = (isEnded: boolean, cause?: Error): void => {
			try {
				const reply = parseReply(received, isEnded);
				if (reply === undefined && !isEnded) return;
				if (reply !== undefined) resolve(reply);
				else reject(new Error("the connection ended without a whole reply", { cause }));
			} catch (error) {
				reject(new Error("the reply's body is not packed as it says", { cause: error }));
			}
			socket.destroy();
		};
		socket.setTimeout(REPLY_TIME_MS, () => finish(true, new Error(`silent for ${REPLY_TIME_MS} ms`)));
		socket.on("data", (chunk: Buffer) => {
			received = Buffer.concat([received, chunk]);
			finish(false);
		});
		socket.on("error", (error) => finish(true, error));
		socket.on("end", () => finish(true));
		socket.write(bytes);
	});
}

function parseReply(raw: Buffer, isEnded: boolean, start = 0): RawReply | undefined {
	const end = raw.indexOf("\r\n\r\n", start);
	if (end === -1) return undefined;
	const [statusLine = "", ...lines] = raw.subarray(start, end).toString("latin1").split("\r\n");
	const headers = new Map(
		lines.map((line): [string, string] => {
			const colon = line.indexOf(":");
			return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
		}),
	);
	const status = Number(statusLine.split(" ")[1]);
	const isInterim = status >= 100 && status < 200 && status !== SWITCHING_PROTOCOLS;
	if (isInterim) return parseReply(raw, isEnded, end + 4);
	const sent = bodyOf(raw.subarray(end + 4), status, headers, isEnded);
	if (sent === undefined) return undefined;
	const body = headers.get("content-encoding") === "gzip" && sent.length > 0 ? gunzipSync(sent) : sent;
	return { status, headers, body: body.toString("utf8"), raw };
}

/** The body once it is whole: by its chunks, by its length, else by the end of the connection. */
function bodyOf(
	sent: Buffer,
	status: number,
	headers: RawReply["headers"],
	isEnded: boolean,
): Buffer | undefined {
	if (/chunked/i.test(headers.get("transfer-encoding") ?? "")) return joinChunks(sent);
	const stated = headers.get("content-length");
	if (stated !== undefined) return sent.length < Number(stated) ? undefined : sent;
	const hasNone = status === SWITCHING_PROTOCOLS || status === 204 || status === 304;
	return isEnded || hasNone ? sent : undefined;
}

function joinChunks(sent: Buffer): Buffer | undefined {
	const chunks: Buffer[] = [];
	for (let at = 0; ; ) {
		const lineEnd = sent.indexOf("\r\n", at);
		if (lineEnd === -1) return undefined;
		const bytes = Number.parseInt(sent.toString("latin1", at, lineEnd), 16);
		if (bytes === 0) return sent.indexOf("\r\n\r\n", lineEnd) === lineEnd ? Buffer.concat(chunks) : undefined;
		const start = lineEnd + 2;
		if (!(start + bytes + 2 <= sent.length)) return undefined;
		chunks.push(sent.subarray(start, start + bytes));
		at = start + bytes + 2;
	}
}
