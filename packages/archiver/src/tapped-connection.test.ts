import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createHttpVideoSource } from "./http-video-source.js";

type Respond = (socket: Socket) => void | Promise<void>;

const source = createHttpVideoSource({
	allowHosts: ["127.0.0.1"],
	allowPrivateNetwork: true,
	idleTimeoutMs: 5_000,
});
const VIDEO = randomBytes(3 * 1024 * 1024 + 11);
VIDEO[0] = 0;
const headOf = (bytes: number): string =>
	`HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: ${bytes}\r\nETag: "v"\r\n\r\n`;

const pem = (name: string): Buffer => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
	vi.unstubAllEnvs();
	for (const socket of sockets) socket.destroy();
	for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** A link to an origin that says what `respond` writes, once a request has come. */
async function serve(respond: Respond, { isTls = false } = {}): Promise<string> {
	const listener = (socket: Socket): void => {
		sockets.add(socket);
		socket.on("error", () => undefined);
		socket.once("data", () => void respond(socket));
	};
	const server = isTls
		? createTlsServer({ cert: pem("origin"), key: pem("origin-key") }, listener)
		: createServer(listener);
	servers.push(server);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	return `${isTls ? "https" : "http"}://127.0.0.1:${port}/v.mp4`;
}

async function open(link: string, signal = new AbortController().signal) {
	const opened = await source.open(link, { signal });
	if (opened._tag !== "Opened") throw new Error(opened.message);
	return opened;
}
async function readAll(link: string): Promise<Buffer> {
	const chunks: Buffer[] = [];
	for await (const chunk of (await open(link)).body) chunks.push(Buffer.from(chunk));
	return Buffer.concat(chunks);
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a body with a length, past node:http,", () => {
	it("comes whole and in order, however its head and its bytes are cut", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: VIDEO.length }),
				fc.array(fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 900_000 })), {
					maxLength: 12,
				}),
				async (bytes, cuts) => {
					const all = Buffer.concat([Buffer.from(headOf(bytes)), VIDEO.subarray(0, bytes)]);
					const link = await serve(async (socket) => {
						socket.setNoDelay(true);
						let at = 0;
						for (const cut of cuts) {
							socket.write(all.subarray(at, at + cut));
							at += cut;
							await turn();
						}
						socket.write(all.subarray(at));
					});
					expect((await readAll(link)).equals(VIDEO.subarray(0, bytes))).toBe(true);
				},
			),
			{ numRuns: 40 },
		);
	}, 30_000);

	it("comes behind answers that only inform, in the same piece or in another", async () => {
		const early = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
		for (const isApart of [false, true]) {
			const link = await serve(async (socket) => {
				socket.write(early);
				if (isApart) await new Promise((resolve) => setTimeout(resolve, 20));
				socket.write(Buffer.concat([Buffer.from(early + headOf(VIDEO.length)), VIDEO]));
			});
			expect((await readAll(link)).equals(VIDEO)).toBe(true);
		}
	});

	it("ends with its length, whatever comes behind it", async () => {
		const link = await serve(
			(socket) => void socket.write(`${headOf(5)}\0\0\0\0\x01HTTP/1.1 200 OK\r\n\r\nmore`),
		);
		expect(await readAll(link)).toEqual(Buffer.from([0, 0, 0, 0, 1]));
	});

	it("is over when it is whole: its connection is closed", async () => {
		const link = await serve((socket) => void socket.write(`${headOf(3)}\0ab`));
		await readAll(link);
		await vi.waitFor(() => expect([...sockets].every(({ destroyed }) => destroyed)).toBe(true));
	});

	it.each([
		["ends", (socket: Socket) => socket.end()],
		["is reset", (socket: Socket) => socket.resetAndDestroy()],
	])("breaks off when its connection %s", async (_how, end) => {
		const link = await serve((socket) => {
			socket.write(Buffer.concat([Buffer.from(headOf(1_000)), VIDEO.subarray(0, 600)]));
			setTimeout(() => end(socket), 30);
		});
		let bytes = 0;
		const reading = (async () => {
			for await (const chunk of (await open(link)).body) bytes += chunk.length;
		})();
		await expect(reading).rejects.toMatchObject({ _tag: "SourceFault", reason: "broke-off" });
		expect(bytes).toBe(600);
	});

	it("makes its origin wait while nobody reads", async () => {
		let isBlocked = false;
		const link = await serve((socket) => {
			socket.write(headOf(100 * VIDEO.length));
			const send = (): void => {
				isBlocked = false;
				for (let times = 0; times < 100; times += 1) {
					if (!socket.write(VIDEO)) break;
				}
				isBlocked = true;
				socket.once("drain", send);
			};
			send();
		});
		const { body } = await open(link);
		for await (const _ of body) {
			const before = process.memoryUsage().arrayBuffers;
			await new Promise((resolve) => setTimeout(resolve, 100));
			expect(isBlocked).toBe(true);
			// Of the origin's, in the same process, one piece; of ours, no more than a buffer.
			expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * VIDEO.length);
			break;
		}
	});

	it("ends at once when it is aborted", async () => {
		const abort = new AbortController();
		const link = await serve((socket) => void socket.write(`${headOf(1_000)}\0`));
		const { body } = await open(link, abort.signal);
		const reading = (async () => {
			for await (const _ of body) abort.abort();
		})();
		await expect(reading).rejects.toMatchObject({ _tag: "SourceFault" });
	});

	it("comes over TLS too", async () => {
		vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
		const link = await serve(
			(socket) => void socket.write(Buffer.concat([Buffer.from(headOf(VIDEO.length)), VIDEO])),
			{ isTls: true },
		);
		expect((await readAll(link)).equals(VIDEO)).toBe(true);
	});
});

it("an answer without a blank line behind its head is given up", async () => {
	const impatient = createHttpVideoSource({
		allowHosts: ["127.0.0.1"],
		allowPrivateNetwork: true,
		firstByteTimeoutMs: 50,
	});
	const link = await serve((socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"));
	const opened = await impatient.open(link, { signal: new AbortController().signal });
	expect(opened).toMatchObject({ _tag: "Unavailable", reason: "failed" });
});
