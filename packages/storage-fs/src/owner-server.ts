// The owner's end of its socket: greets every reader and pushes how far the log is durable.

import { createServer, type Server, type Socket } from "node:net";
import type { Watermark } from "./log-files.js";
import type { Greeting, Progress } from "./owner-protocol.js";
import type { OwnerIdentity } from "./ownership.js";

/** Readers at a time; more are turned away. A few CLI calls and workers stand against it. */
export const MAX_READERS = 64;

export interface OwnerServer {
	readonly server: Server;
	publish(durable: Watermark): void;
	/** Drops every reader. */
	disconnect(): void;
}

interface Reader {
	readonly socket: Socket;
	/** What it was sent last. */
	sent: Watermark | null;
	/** How many bytes it has sent, and how many of them are answered. */
	asked: number;
	answered: number;
}

export function createOwnerServer(owner: OwnerIdentity): OwnerServer {
	const readers = new Set<Reader>();
	let latest: Watermark | null = null;

	const send = (reader: Reader) => {
		const { socket, asked } = reader;
		if (latest === null || (reader.sent === latest && reader.answered === asked)) return;
		// A reader that does not keep up is told the newest once it has taken the line before.
		if (socket.writableLength > 0) return;
		reader.sent = latest;
		reader.answered = asked;
		socket.write(line({ durable: latest, asked }), () => send(reader));
	};
	const server = createServer((socket) => {
		const reader: Reader = { socket, sent: latest, asked: 0, answered: 0 };
		readers.add(reader);
		socket.unref();
		socket.on("error", () => socket.destroy());
		socket.on("close", () => readers.delete(reader));
		socket.on("data", (bytes) => {
			reader.asked += bytes.length;
			send(reader);
		});
		socket.write(line({ reelkeep: "owner", protocol: 1, ...owner, durable: latest }), () => send(reader));
	});
	server.maxConnections = MAX_READERS;
	server.unref();
	return {
		server,
		publish(durable) {
			latest = durable;
			for (const reader of readers) send(reader);
		},
		disconnect() {
			for (const { socket } of readers) socket.destroy();
		},
	};
}

function line(message: Greeting | Progress): string {
	return `${JSON.stringify(message)}\n`;
}
