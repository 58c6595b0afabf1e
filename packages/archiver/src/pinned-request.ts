// One GET to addresses that were checked before: whatever the resolver says by then, nothing else is connected to.

import {
	type ClientRequest,
	Agent as HttpAgent,
	type IncomingMessage,
	request as requestHttp,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { isIPv6, type LookupFunction, Socket } from "node:net";
import { type AnswerBody, type TappedConnection, tapConnection } from "./tapped-connection.js";

/** With several addresses Node tries the next after 250 ms, too soon for a link across the world. */
const NEXT_ADDRESS_AFTER_MS = 2_500;

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
	/** `body`: to be read, or destroyed, in place of the response. */
	| { readonly _tag: "Answered"; readonly response: IncomingMessage; readonly body: AnswerBody }
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
		const { request, connection } = send(options);
		let timer = setTimeout(() => giveUp(`${url.host} cannot be reached in time`), connectTimeoutMs);
		request.once("socket", (socket) =>
			socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => {
				isConnected = true;
				clearTimeout(timer);
				timer = setTimeout(() => giveUp(`${url.host} does not answer in time`), firstByteTimeoutMs);
			}),
		);
		request.on("information", () => connection()?.pass({ isBody: false }));
		request.once("response", (response) =>
			settle({ _tag: "Answered", response, body: bodyOf(response, connection()) }),
		);
		// Stays on for the body's sake: a request that breaks later emits here too. Only the code: the message of a
		// socket's error is not ours.
		request.on("error", (error) => giveUp(`${url.host}: ${codeOf(error)}`));
		request.end();
	});
}

function send({ url, addresses, headers, signal }: PinnedRequest): {
	readonly request: ClientRequest;
	readonly connection: () => TappedConnection | undefined;
} {
	const isSecure = url.protocol === "https:";
	// One of our own: a pooled socket was connected for another check, and the global agent may stand for a proxy, which
	// resolves names by itself.
	const agent = isSecure ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false });
	let connection: TappedConnection | undefined;
	const connect = agent.createConnection.bind(agent);
	agent.createConnection = (wanted) => {
		connection = tapConnection((tap) => {
			const socket = connect({ ...wanted, ...tap });
			// By its types it may give none; the agents of Node always do.
			if (!(socket instanceof Socket)) throw new TypeError("the agent made no connection");
			return socket;
		});
		return connection.stream;
	};
	const options = {
		method: "GET",
		// OSS signs Content-Type and x-oss-* headers: a presigned link is asked for without any of them.
		headers: { accept: "*/*", "accept-encoding": "identity", ...headers },
		agent,
		lookup: lookupAmong(addresses),
		autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
		signal,
	};
	const request = isSecure ? requestHttps(url, options) : requestHttp(url, options);
	return { request, connection: () => connection };
}

/** A body whose length is stated comes past node:http; what nobody waits for, or ends otherwise, through it. */
function bodyOf(response: IncomingMessage, connection: TappedConnection | undefined): AnswerBody {
	const { statusCode, headers } = response;
	const length = headers["transfer-encoding"] === undefined ? headers["content-length"] : undefined;
	if (connection !== undefined && (statusCode === 200 || statusCode === 206) && length !== undefined) {
		// It learns of its connection's end without having read to its own.
		response.on("error", () => undefined);
		return connection.takeBody(Number(length));
	}
	connection?.pass({ isBody: true });
	return response as AnswerBody;
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
