// For this package's tests: stands before the real server and refuses what OSS refuses of requests made for Amazon's S3,
// as its documents and its users' reports have it. It knows `x-oss-forbid-overwrite`, which the server behind it does not.

import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createTurns } from "@reelkeep/core";
import { OSS_DOMAIN, type TestS3 } from "@reelkeep/harness/swift";

interface SeenRequest {
	readonly method: string;
	/** Path and query. */
	readonly target: string;
	readonly headers: IncomingMessage["headers"];
}

export interface StrictOss {
	/** With a host name of OSS's, which `ossAgent` leads here. */
	readonly endpoint: string;
	readonly port: number;
	readonly seen: SeenRequest[];
	stop(): Promise<void>;
}

/** Finds every host at 127.0.0.1. */
export const ossAgent = (): Agent =>
	new Agent({
		keepAlive: true,
		lookup: (_, options, found) =>
			options.all ? found(null, [{ address: "127.0.0.1", family: 4 }]) : found(null, "127.0.0.1", 4),
	});

interface Refusal {
	readonly status: number;
	readonly code: string;
}

export async function startStrictOss({ endpoint }: TestS3): Promise<StrictOss> {
	const behind = new URL(endpoint);
	// Swift sends a body behind the head of some answers to HEAD: nothing more is to be heard on such a connection.
	const agent = new Agent({ keepAlive: false });
	const seen: SeenRequest[] = [];
	/** Targets of videos that are there. */
	const there = new Set<string>();
	const turns = createTurns();
	const server = createServer((incoming, answer) => {
		void handle(incoming, answer).catch(() => answer.destroy());
	});
	const handle = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
		const { method = "", url: target = "", headers } = incoming;
		const body = await bodyOf(incoming);
		seen.push({ method, target, headers });
		const refused = refusalOf({ method, target, headers });
		if (refused !== undefined) return refuse(answer, refused);
		const [path = ""] = target.split("?");
		const isCreated = /^PUT [^?]*(?:\?x-id=PutObject)?$|^POST .*[?&]uploadId=/.test(`${method} ${target}`);
		// A name is looked at and taken in one step.
		await turns.take(isCreated ? path : `${seen.length}`, async () => {
			if (headers["x-oss-forbid-overwrite"] === "true" && there.has(path))
				return refuse(answer, { status: 409, code: "FileAlreadyExists" });
			const status = await forward(incoming, answer, body);
			if (status >= 300) return;
			if (isCreated) there.add(path);
			if (method === "DELETE") there.delete(path);
			for (const [, key] of String(body).matchAll(/<Key>([^<]*)<\/Key>/g)) there.delete(`/${key}`);
		});
	};
	const forward = async (
		incoming: IncomingMessage,
		answer: ServerResponse,
		body: Buffer,
	): Promise<number> => {
		const { method, url, headers } = incoming;
		const on = request({ agent, host: behind.hostname, port: behind.port, method, path: url, headers });
		on.on("error", () => undefined);
		on.end(body);
		const [response] = (await once(on, "response")) as [IncomingMessage];
		const { statusCode = 500 } = response;
		answer.writeHead(statusCode, response.headers);
		answer.on("close", () => response.destroy());
		response.on("error", () => answer.destroy());
		response.pipe(answer);
		await once(response, "close");
		return statusCode;
	};
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	return {
		endpoint: `http://${OSS_DOMAIN}:${port}`,
		port,
		seen,
		async stop() {
			server.closeAllConnections();
			agent.destroy();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

/** What OSS says no to. Pure. */
function refusalOf({ method, target, headers }: SeenRequest): Refusal | undefined {
	const host = headers.host?.replace(/:\d+$/, "");
	if (host === OSS_DOMAIN) return { status: 403, code: "SecondLevelDomainForbidden" };
	const isWrite = method === "PUT" || method === "POST";
	if (isWrite && headers["if-none-match"] !== undefined) return { status: 501, code: "NotImplemented" };
	const isChunked =
		String(headers["content-encoding"]).includes("aws-chunked") ||
		String(headers["x-amz-content-sha256"]).startsWith("STREAMING-");
	const names = Object.keys(headers);
	if (isChunked || names.some((name) => /^x-amz-(?:sdk-)?checksum-|^x-amz-trailer$/.test(name)))
		return { status: 400, code: "InvalidArgument" };
	if (method === "POST" && /\?(?:.*&)?delete\b/.test(target) && headers["content-md5"] === undefined)
		return { status: 400, code: "MissingArgument" };
	return undefined;
}

function refuse(answer: ServerResponse, { status, code }: Refusal): void {
	answer.writeHead(status, { "content-type": "application/xml", "x-oss-request-id": "0" });
	answer.end(
		`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message><RequestId>0</RequestId></Error>`,
	);
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
	const chunks: Buffer[] = [];
	for await (const chunk of incoming) chunks.push(chunk);
	return Buffer.concat(chunks);
}
