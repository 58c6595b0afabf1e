// A message queue to try the ingress with: JSON lines over TCP, messages in memory, each kept until it is settled.
// `{ put: message }` adds one, and is answered `{ settled: verdict }` when it was judged first; `{ take: n }` asks for
// deliveries `{ id, message }`, n at a time; `{ id, verdict, delayMs }` settles one. What is not settled when its consumer
// goes, comes again.

import { createServer, type Socket } from "node:net";
import { readLines, writeLine } from "./lines.js";
import type { Verdict } from "./verdicts.js";

interface Entry {
	readonly id: number;
	readonly message: unknown;
	readonly producer: Socket;
	consumer?: Socket | undefined;
	waits?: boolean;
}
type Line = { put?: unknown; take?: number; id?: number; verdict?: Verdict; delayMs?: number };

export interface Broker {
	readonly port: number;
	/** Messages that were rejected, set aside. */
	readonly rejected: readonly unknown[];
	/** Breaks the connections of all consumers, as a network does. */
	disconnect(): void;
	close(): Promise<void>;
}

export async function startBroker(port = 0): Promise<Broker> {
	const entries = new Map<number, Entry>();
	const room = new Map<Socket, number>();
	const sockets = new Set<Socket>();
	const rejected: unknown[] = [];
	let lastId = 0;

	function deliver(): void {
		for (const [consumer, most] of room) {
			const held = [...entries.values()].filter((entry) => entry.consumer === consumer).length;
			const free = [...entries.values()].filter((entry) => entry.consumer === undefined && !entry.waits);
			for (const entry of free.slice(0, Math.max(0, most - held))) {
				entry.consumer = consumer;
				writeLine(consumer, { id: entry.id, message: entry.message });
			}
		}
	}

	function settle(entry: Entry, verdict: Verdict, delayMs: number): void {
		writeLine(entry.producer, { settled: verdict });
		entry.consumer = undefined;
		if (verdict === "reject") rejected.push(entry.message);
		if (verdict !== "nack") return void entries.delete(entry.id);
		entry.waits = true;
		setTimeout(() => {
			entry.waits = false;
			deliver();
		}, delayMs).unref();
	}

	function obey(socket: Socket, { put, take, id = 0, verdict, delayMs = 0 }: Line): void {
		if (put !== undefined) {
			lastId += 1;
			entries.set(lastId, { id: lastId, message: put, producer: socket });
		}
		if (take !== undefined) room.set(socket, take);
		const entry = entries.get(id);
		if (entry?.consumer === socket && verdict !== undefined) settle(entry, verdict, delayMs);
		deliver();
	}

	async function serve(socket: Socket): Promise<void> {
		sockets.add(socket);
		try {
			for await (const line of readLines(socket)) obey(socket, line as Line);
		} catch {
			socket.destroy();
		} finally {
			sockets.delete(socket);
			room.delete(socket);
			for (const entry of entries.values()) if (entry.consumer === socket) entry.consumer = undefined;
			deliver();
		}
	}

	const server = createServer((socket) => void serve(socket));
	await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
	const address = server.address();
	return {
		port: typeof address === "object" && address !== null ? address.port : 0,
		rejected,
		disconnect: () => {
			for (const consumer of room.keys()) consumer.destroy();
		},
		close: () =>
			new Promise((resolve) => {
				for (const socket of sockets) socket.destroy();
				server.close(() => resolve());
			}),
	};
}
