// The own server's connections: how many, what they may say beside their calls, and their end.

import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { ConnectionInjector } from "@grpc/grpc-js";
import { createTalkBudget, type TalkBudget } from "./talk-budget.js";

export interface Connections {
	/** Resolves with the bound address, `127.0.0.1:50051`. Rejects when it cannot be bound. */
	listen(host: string, port: number): Promise<string>;
	/** The budget of the connection that `getPeer()` names. */
	budgetOf(peer: string): TalkBudget | undefined;
	/** Takes no more connections, tells the open ones to finish what they have, and cuts what is left after `graceMs`. */
	stop(graceMs: number): Promise<void>;
}

export interface ConnectionsOptions {
	readonly maxConnections: number;
	/** What one message may be. */
	readonly maxMessageBytes: number;
	/** Is told of what was turned away. */
	readonly log: (reason: string, details: object) => void;
}

const SWEEP_INTERVAL_MS = 1_000;
/** When it stops, so long a connection without a call may take to close by itself. */
const IDLE_GRACE_MS = 1_000;

interface Connection {
	readonly socket: Socket;
	readonly budget: TalkBudget;
}

export function createConnections(injector: ConnectionInjector, options: ConnectionsOptions): Connections {
	const connections = new Map<string, Connection>();
	const server = createServer({ noDelay: true });
	const { maxConnections } = options;
	server.on("connection", (socket) => {
		if (connections.size >= maxConnections && !makeRoom(connections)) {
			options.log("too many are open", { maxConnections });
			socket.destroy();
			return;
		}
		const peer = peerOf(socket);
		connections.set(peer, { socket, budget: createTalkBudget(options.maxMessageBytes, performance.now()) });
		socket.on("close", () => {
			if (connections.get(peer)?.socket === socket) connections.delete(peer);
		});
		// What breaks before the session listens must not end the process.
		socket.on("error", () => {});
		injector.injectConnection(socket);
	});
	const sweeping = setInterval(() => cutTalkers(connections, options.log), SWEEP_INTERVAL_MS);
	sweeping.unref();
	return {
		async listen(host, port) {
			server.listen({ host, port });
			await once(server, "listening");
			const { log } = options;
			server.on("error", (error: NodeJS.ErrnoException) => log("accepting failed", { code: error.code }));
			return addressOf(server);
		},
		budgetOf: (peer) => connections.get(peer)?.budget,
		async stop(graceMs) {
			clearInterval(sweeping);
			injector.drain(graceMs);
			if (!server.listening) return;
			const closed = once(server, "close");
			server.close();
			// Who has no call needs no grace; some do not heed that we have gone away.
			const cutting = [
				setTimeout(
					() => cut(connections, ({ budget }) => budget.idleSinceMs() !== undefined),
					Math.min(IDLE_GRACE_MS, graceMs),
				),
				setTimeout(() => cut(connections, () => true), graceMs),
			];
			await closed;
			cutting.forEach(clearTimeout);
		},
	};
}

function cut(connections: ReadonlyMap<string, Connection>, isMeant: (one: Connection) => boolean): void {
	for (const connection of connections.values()) if (isMeant(connection)) connection.socket.destroy();
}

/**
 * Closes who never had a call, and else who has had none for the longest time: Node does not notice that a client has left
 * once its session has failed.
 */
function makeRoom(connections: Map<string, Connection>): boolean {
	const idle = [...connections].flatMap(([peer, { socket, budget }]) => {
		const sinceMs = budget.idleSinceMs();
		return sinceMs === undefined ? [] : [{ peer, socket, sinceMs }];
	});
	const [longest] = idle.sort((a, b) => a.sinceMs - b.sinceMs);
	if (longest === undefined) return false;
	connections.delete(longest.peer);
	longest.socket.destroy();
	return true;
}

/** A connection as `getPeer()` of @grpc/grpc-js names it. */
export function peerOf({ remoteAddress, remotePort }: Partial<Socket>): string {
	return `${remoteAddress}:${remotePort}`;
}

function addressOf(server: Server): string {
	const { address, family, port } = server.address() as AddressInfo;
	return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}

function cutTalkers(connections: ReadonlyMap<string, Connection>, log: ConnectionsOptions["log"]): void {
	for (const { socket, budget } of connections.values()) {
		if (!budget.isOver(socket.bytesRead, socket.bytesWritten, performance.now())) continue;
		log("one says more than its calls account for", {});
		socket.destroy();
	}
}
