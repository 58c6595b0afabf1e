import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { ConnectionInjector } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { type Connections, createConnections } from "./connections.js";

const ending: (() => unknown)[] = [];
afterEach(async () => {
	for (const end of ending.splice(0)) await end();
});

/** Connections without HTTP/2: what they do is said by hand. */
async function start(maxConnections: number) {
	const told: string[] = [];
	const injector: ConnectionInjector = { injectConnection: () => {}, drain: () => {}, destroy: () => {} };
	const log = (reason: string): void => void told.push(reason);
	const connections = createConnections(injector, { maxConnections, maxMessageBytes: 1024, log });
	const address = await connections.listen("127.0.0.1", 0);
	ending.push(() => connections.stop(10));
	return { connections, told, port: Number(address.split(":").at(-1)) };
}

interface Client {
	readonly peer: string;
	readonly closed: Promise<unknown>;
	isOpen(): boolean;
}

async function open({ connections, port }: { connections: Connections; port: number }): Promise<Client> {
	const socket: Socket = connect(port, "127.0.0.1");
	ending.push(() => socket.destroy());
	const closed = new Promise((resolve) => socket.on("close", resolve).on("error", () => {}));
	await once(socket, "connect");
	const peer = `127.0.0.1:${socket.localPort}`;
	await expect.poll(() => socket.destroyed || connections.budgetOf(peer) !== undefined).toBe(true);
	socket.resume();
	return { peer, closed, isOpen: () => !socket.destroyed };
}

describe("when connections run out", () => {
	it("the first to give way is one that never had a call, then the one that has had none for longest", async () => {
		const server = await start(3);
		const budget = ({ peer }: Client) => server.connections.budgetOf(peer);
		const [relay, other, silent] = [await open(server), await open(server), await open(server)];
		for (const [client, endedAt] of [
			[relay, 2_000],
			[other, 1_000],
		] as const) {
			budget(client)?.begin();
			budget(client)?.end(endedAt);
		}
		await open(server);
		await silent.closed;
		expect([relay.isOpen(), other.isOpen()]).toEqual([true, true]);
		const busy = await open(server);
		budget(busy)?.begin();
		await open(server);
		await other.closed.catch(() => {});
		expect(relay.isOpen()).toBe(true);
		expect(server.told).toEqual([]);
	});

	it("the new one is turned away when all have calls, and the log is told", async () => {
		const server = await start(1);
		const relay = await open(server);
		server.connections.budgetOf(relay.peer)?.begin();
		const late = connect(server.port, "127.0.0.1");
		late.on("error", () => {});
		await once(late, "close");
		expect(relay.isOpen()).toBe(true);
		expect(server.told).toEqual(["too many are open"]);
	});
});
