// For this package's tests: a server that gives the answers that it is told to, in their order.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createConditions } from "./create-only.js";
import { createClient } from "./s3-client.js";

export type Answer = (answer: ServerResponse, request: IncomingMessage) => void;

/** The last answer is given for ever. */
export async function startAnswers(...answers: readonly Answer[]) {
	const seen: IncomingMessage[] = [];
	const server = createServer((request, response) => {
		seen.push(request);
		request.resume();
		answers[Math.min(seen.length, answers.length) - 1]?.(response, request);
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	const client = createClient({
		endpoint: `http://127.0.0.1:${port}`,
		region: "r",
		pathStyle: true,
		credentials: { accessKeyId: "key", secretAccessKey: "a-secret" },
	});
	return {
		seen,
		options: { client, bucket: "videos", prefix: "", conditions: createConditions("if-none-match") },
		async stop() {
			client.destroy();
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
