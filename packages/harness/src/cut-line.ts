// For tests: a line to a server that can be cut while something is under way, and mended.

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface CutLine {
	readonly port: number;
	/** Cuts it, for good, when what the client sends holds `text`; `after`: once the server has answered, but nobody hears. */
	cutAt(text: string, when?: "before" | "after"): void;
	/** Cuts it for one connection, and lets the next one through. */
	cutOnceAt(text: string, when?: "before" | "after"): void;
	/** How often it was cut. */
	cuts(): number;
	/** Breaks every connection that is open, once. */
	breakAll(): void;
	mend(): void;
	/** Connections of clients. */
	open(): number;
	stop(): Promise<void>;
}

export async function startCutLine(port: number): Promise<CutLine> {
	const sockets = new Set<Socket>();
	let cuts = 0;
	let isCut = false;
	let rule: { text: string; when: "before" | "after"; isOnce: boolean } | undefined;
	const cut = (client: Socket, server: Socket, isOnce: boolean): void => {
		cuts += 1;
		isCut = !isOnce;
		rule = undefined;
		client.resetAndDestroy();
		server.destroy();
		if (!isOnce) for (const socket of sockets) socket.resetAndDestroy();
	};
	const line = createServer((client) => {
		client.on("error", () => undefined);
		if (isCut) return void client.resetAndDestroy();
		sockets.add(client);
		const server = connect(port, "127.0.0.1");
		server.on("error", () => client.destroy());
		client.on("close", () => {
			sockets.delete(client);
			server.destroy();
		});
		server.on("close", () => client.destroy());
		let answers: typeof rule;
		client.on("data", (chunk) => {
			if (rule !== undefined && chunk.includes(rule.text)) {
				if (rule.when === "before") {
					// Half of it has come.
					server.write(chunk.subarray(0, chunk.length / 2));
					return cut(client, server, rule.isOnce);
				}
				answers = rule;
			}
			server.write(chunk);
		});
		server.on("data", (chunk) => {
			if (answers !== undefined && chunk.includes("HTTP/1.1 200")) return cut(client, server, answers.isOnce);
			client.write(chunk);
		});
	});
	await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve));
	return {
		port: (line.address() as AddressInfo).port,
		cutAt(text, when = "before") {
			rule = { text, when, isOnce: false };
		},
		cutOnceAt(text, when = "before") {
			rule = { text, when, isOnce: true };
		},
		cuts: () => cuts,
		breakAll() {
			for (const socket of sockets) socket.resetAndDestroy();
		},
		mend() {
			isCut = false;
		},
		open: () => sockets.size,
		async stop() {
			for (const socket of sockets) socket.destroy();
			await new Promise((resolve) => line.close(resolve));
		},
	};
}
