// How hostile requests are sent: over a few connections that many share, or each over one of its own.

import { connect, type Socket } from "node:net";
import { allAnswers, nextAnswer } from "./hostile-answers.js";
import type { HostileRequest } from "./hostile-kind.js";

/** What was heard, in the words of `hostile-answers.ts`; `hangs` when nothing ended it. */
export type Heard = string;

/** Every receiver's time-out is shorter. */
const PATIENCE_MS = 20_000;
/** Requests on their way on one shared connection. */
const PIPELINED = 8;

/** Sends over a connection of its own and resolves when that is closed. */
export function sendAlone(port: number, { pieces, connection }: HostileRequest): Promise<Heard> {
	return new Promise((resolve) => {
		const chunks: Buffer[] = [];
		const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
		const timer = setTimeout(() => {
			socket.destroy();
			resolve("hangs");
		}, PATIENCE_MS);
		socket
			.on("connect", () => void writeAll(socket, pieces, connection))
			.on("data", (chunk) => chunks.push(chunk))
			.on("end", () => socket.end())
			.on("error", () => {})
			.on("close", () => {
				clearTimeout(timer);
				resolve(allAnswers(Buffer.concat(chunks)).join(" "));
			});
	});
}

async function writeAll(
	socket: Socket,
	pieces: readonly Uint8Array[],
	connection: HostileRequest["connection"],
): Promise<void> {
	for (const [index, piece] of pieces.entries()) {
		if (index > 0) await new Promise((resolve) => setImmediate(resolve));
		if (socket.writable) socket.write(piece);
	}
	if (connection === "half-closed") socket.end();
	if (connection === "reset") setImmediate(() => socket.resetAndDestroy());
}

export interface SharedConnections {
	/** Resolves as soon as there is room; `heard` resolves with the answer, or with nothing when the connection ended. */
	send(request: HostileRequest): Promise<{ readonly heard: Promise<Heard> }>;
	close(): void;
}

/** `count` connections that are opened when they are needed, and opened again when the receiver closes one. */
export function shareConnections(port: number, count: number): SharedConnections {
	const lines = Array.from({ length: count }, () => createLine(port));
	const waiting: (() => void)[] = [];
	return {
		async send({ pieces }) {
			for (;;) {
				const [line] = lines.toSorted((a, b) => a.pending() - b.pending());
				if (line !== undefined && line.pending() < PIPELINED) {
					const heard = line.send(pieces);
					void heard.then(() => waiting.shift()?.());
					return { heard };
				}
				await new Promise<void>((resolve) => waiting.push(resolve));
			}
		},
		close() {
			for (const line of lines) line.close();
		},
	};
}

interface Line {
	pending(): number;
	send(pieces: readonly Uint8Array[]): Promise<Heard>;
	close(): void;
}

function createLine(port: number): Line {
	let socket: Socket | undefined;
	let heard: Buffer = Buffer.alloc(0);
	let pending: ((answer: Heard) => void)[] = [];
	const abandon = (opened: Socket): void => {
		if (socket !== opened) return;
		socket = undefined;
		opened.destroy();
		for (const resolve of pending.splice(0)) resolve(heard.length > 0 ? "cut" : "");
		heard = Buffer.alloc(0);
	};
	const take = (opened: Socket, chunk: Buffer): void => {
		heard = heard.length === 0 ? chunk : Buffer.concat([heard, chunk]);
		for (let answer = nextAnswer(heard); answer !== undefined; answer = nextAnswer(heard)) {
			heard = heard.subarray(answer.bytes);
			pending.shift()?.(answer.word);
			if (answer.closes) abandon(opened);
		}
	};
	const open = (): Socket => {
		const opened = connect({ port, host: "127.0.0.1", noDelay: true });
		opened.on("data", (chunk) => take(opened, chunk));
		opened.on("error", () => {}).on("close", () => abandon(opened));
		return opened;
	};
	return {
		pending: () => pending.length,
		send(pieces) {
			socket ??= open();
			for (const piece of pieces) socket.write(piece);
			return new Promise((resolve) => pending.push(resolve));
		},
		close() {
			socket?.destroy();
			pending = [];
		},
	};
}
