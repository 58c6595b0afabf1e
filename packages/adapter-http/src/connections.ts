// The own server's connections, each with the requests that are being answered on it: who may still ask, and who closes.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** A request and its answer. */
interface Exchange {
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
}

export interface Connections {
	/**
	 * Whether a request is to be served: not on a connection that is about to close. One that asks on and on without
	 * waiting for its answers is closed behind them, and destroyed when it goes on: they would pile up in memory.
	 */
	begin(exchange: Exchange): boolean;
	/**
	 * Calls `last` as soon as everything in flight on this connection is answered, and takes no more requests from it.
	 * A request that broke off is not in flight, unless its answer has left already.
	 */
	finish(socket: Duplex, last: () => void): void;
	/** Closes every connection, each as soon as nothing is in flight on it. */
	close(): void;
	/** Destroys what is left. */
	cut(): void;
}

/** Requests of one connection whose answers have not left. No SDK sends a second one before it has read the first answer. */
const MAX_PIPELINED = 64;

interface Connection {
	readonly socket: Socket;
	/** In the order of the requests, which is that of the answers: HTTP/1.1 pipelining. */
	readonly exchanges: Set<Exchange>;
	/** Requests that came when no more were taken; node keeps each until the connection is gone. */
	refused: number;
	/** What remains to be done when nothing is in flight. */
	last?: () => void;
}

/** Follows the connections of `server` from now on. */
export function trackConnections(server: Server): Connections {
	const connections = new Map<Duplex, Connection>();
	server.on("connection", (socket) => {
		connections.set(socket, { socket, exchanges: new Set(), refused: 0 });
		socket.on("close", () => connections.delete(socket));
		// Node takes its own listener away when a request is CONNECT: an error would end the process.
		socket.on("error", () => {});
	});
	return {
		begin(exchange) {
			const connection = connections.get(exchange.request.socket);
			if (connection === undefined) return false;
			if (connection.last !== undefined) {
				connection.refused += 1;
				if (connection.refused > MAX_PIPELINED) connection.socket.destroy();
				return false;
			}
			if (connection.exchanges.size >= MAX_PIPELINED) {
				close(connection);
				return false;
			}
			connection.exchanges.add(exchange);
			exchange.response.on("close", () => leave(connection, exchange));
			return true;
		},
		finish(socket, last) {
			const connection = connections.get(socket);
			if (connection === undefined) return;
			connection.last = last;
			const newest = newestOf(connection);
			if (newest === undefined) last();
			else if (!newest.request.complete && !newest.response.headersSent) leave(connection, newest);
		},
		close() {
			for (const connection of connections.values()) close(connection);
		},
		cut() {
			for (const { socket } of connections.values()) socket.destroy();
		},
	};
}

function leave(connection: Connection, exchange: Exchange): void {
	const wasIn = connection.exchanges.delete(exchange);
	if (wasIn && connection.exchanges.size === 0) connection.last?.();
}

function close(connection: Connection): void {
	const { socket, exchanges } = connection;
	connection.last ??= () => socket.destroySoon();
	const newest = newestOf(connection);
	// On an earlier answer of the connection it would cut off the later ones.
	if (newest !== undefined && !newest.response.headersSent) newest.response.setHeader("Connection", "close");
	if (exchanges.size === 0) socket.destroySoon();
}

function newestOf({ exchanges }: Connection): Exchange | undefined {
	return [...exchanges].at(-1);
}
