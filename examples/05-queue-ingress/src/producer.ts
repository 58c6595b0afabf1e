// Puts one message into the queue and resolves with what became of it first.

import { once } from "node:events";
import { connect } from "node:net";
import { sign } from "./hmac-verifier.js";
import { readLines, writeLine } from "./lines.js";
import type { Verdict } from "./verdicts.js";

export interface Outgoing {
	readonly appKey: string;
	readonly secret: string;
	readonly requestParam: string;
}

/** *Errors*: rejects when nobody judged it in `timeMs`; it stays in the queue. */
export async function send(
	port: number,
	{ appKey, secret, requestParam }: Outgoing,
	timeMs: number,
): Promise<Verdict> {
	const socket = connect({ host: "127.0.0.1", port });
	await once(socket, "connect");
	const timer = setTimeout(() => socket.destroy(new Error("nobody took the message")), timeMs);
	try {
		writeLine(socket, { put: { appKey, sign: sign(secret, requestParam), requestParam } });
		for await (const line of readLines(socket)) return (line as { readonly settled: Verdict }).settled;
		throw new Error("the broker went away");
	} finally {
		clearTimeout(timer);
		socket.destroy();
	}
}
