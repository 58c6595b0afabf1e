// One GET to addresses that were checked before: whatever the resolver says by then, nothing else is connected to.

import {
	type ClientRequest,
	Agent as HttpAgent,
	type IncomingMessage,
	request as requestHttp,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { isIPv6, type LookupFunction } from "node:net";

/** With several addresses Node tries the next after 250 ms, too soon for a link across the world. */
const NEXT_ADDRESS_AFTER_MS = 2_500;
/**
 * How much of a body comes while its reader writes. With Node's 16 KiB network and disk wait for each other; with more than
 * this, larger buffers cost what they spare.
 */
const READ_AHEAD_BYTES = 256 * 1024;

export interface PinnedRequest {
	readonly url: URL;
	/** At least one; all of them checked. */
	readonly addresses: readonly string[];
	/** Until the connection, with its TLS, stands. */
	readonly connectTimeoutMs: number;
	/** Besides those of every request. */
	readonly headers?: Readonly<Record<string, string>>;
	/** From then until the answer's headers. */
	readonly firstByteTimeoutMs: number;
	/** Aborts the request, and later its body. */
	readonly signal: AbortSignal;
}

export type PinnedAnswer =
	| { readonly _tag: "Answered"; readonly response: IncomingMessage }
	/** `isConnected`: the connection, with its TLS, stood. */
	| { readonly _tag: "NoAnswer"; readonly message: string; readonly isConnected: boolean };

/** Sends the request. Never rejects. */
export function requestPinned(options: PinnedRequest): Promise<PinnedAnswer> {
	const { url, connectTimeoutMs, firstByteTimeoutMs, signal } = options;
	if (signal.aborted) {
		return Promise.resolve({ _tag: "NoAnswer", message: `${url.host}: not asked`, isConnected: false });
	}
	return new Promise((resolve) => {
		let isConnected = false;
		const settle = (answer: PinnedAnswer): void => {
			clearTimeout(timer);
			resolve(answer);
		};
		const giveUp = (message: string): void => {
			settle({ _tag: "NoAnswer", message, isConnected });
			request.destroy();
		};
		const request = send(options);
		let timer = setTimeout(() => giveUp(`${url.host} cannot be reached in time`), connectTimeoutMs);
		request.once("socket", (socket) =>
			socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => {
				isConnected = true;
				clearTimeout(timer);
				timer = setTimeout(() => giveUp(`${url.host} does not answer in time`), firstByteTimeoutMs);
			}),
		);
		request.once("response", (response) => settle({ _tag: "Answered", response }));
		// Stays on for the body's sake: a request that breaks later emits here too. Only the code: the message of a
		// socket's error is not ours.
		request.on("error", (error) => giveUp(`${url.host}: ${codeOf(error)}`));
		request.end();
	});
}

function send({ url, addresses, headers, signal }: PinnedRequest): ClientRequest {
	const isSecure = url.protocol === "https:";
	const options = {
		method: "GET",
		// OSS signs Content-Type and x-oss-* headers: a presigned link is asked for without any of them.
		headers: { accept: "*/*", "accept-encoding": "identity", ...headers },
		// One of our own: a pooled socket was connected for another check, and the global agent may stand for a proxy,
		// which resolves names by itself.
		agent: isSecure ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false }),
		lookup: lookupAmong(addresses),
		autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
		highWaterMark: READ_AHEAD_BYTES,
		signal,
	};
	return isSecure ? requestHttps(url, options) : requestHttp(url, options);
}

/** Answers with the checked addresses, whatever name is asked for. A literal host is never looked up: check it before. */
function lookupAmong(addresses: readonly string[]): LookupFunction {
	const entries = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
	return (_hostname, options, callback) => {
		const first = entries[0];
		if (options.all === true) callback(null, entries);
		else if (first === undefined) callback(new Error("no address was checked"), "");
		else callback(null, first.address, first.family);
	};
}

function codeOf(error: Error): string {
	const { code } = error as { code?: unknown };
	return typeof code === "string" ? code : "the connection failed";
}
