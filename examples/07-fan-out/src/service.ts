// A service that is told of recordings: it takes each once, and refuses one track for a while, as a real one does.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Service {
	readonly url: string;
	/** The track that it answers 500 to; `undefined`: it takes all. */
	refuses: string | undefined;
	close(): void;
}

export async function startService(name: string): Promise<Service> {
	const taken = new Set<string>();
	const server = createServer(async (request, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		const { track } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly track: string };
		const key = String(request.headers["idempotency-key"]);
		const isRefused = track === service.refuses;
		if (!isRefused && !taken.has(key)) {
			taken.add(key);
			console.log(`${name} took ${track}`);
		}
		response.writeHead(isRefused ? 500 : 204).end();
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const service: Service = {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		refuses: undefined,
		close() {
			server.close();
			server.closeAllConnections();
		},
	};
	return service;
}
