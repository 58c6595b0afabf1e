import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import { type RawReply, signedRequest } from "@reelkeep/testing";
import { afterEach, describe, expect, it } from "vitest";
import {
	gatedReceive,
	handlerOptions,
	NOW_MS,
	type RecordingReceive,
	recordingReceive,
	startServer,
	type TestServer,
} from "../test/harness.js";
import type { HttpLimits } from "./limits.js";
import { createNodeHandler, type NodeHandlerOptions, pathOf } from "./node-handler.js";

const servers: TestServer[] = [];
afterEach(async () => {
	await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(
	limits: Partial<HttpLimits> = {},
	recorded: RecordingReceive = recordingReceive(),
	options: Partial<NodeHandlerOptions> = {},
): Promise<string> {
	const server = await startServer({ ...handlerOptions(recorded.receive), limits, ...options });
	servers.push(server);
	return server.address;
}

const signed = (requestParam = "{}", more: Partial<Parameters<typeof signedRequest>[0]> = {}): Buffer =>
	signedRequest({ appKey: TEST_APP_KEY, secret: TEST_SECRET, now: NOW_MS, requestParam, ...more });

const raw = (head: readonly string[], body = ""): Buffer =>
	Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
const post = (length: number, query = "?format=json"): readonly string[] => [
	`POST /router/rest${query} HTTP/1.1`,
	"Host: x",
	"Content-Type: application/x-www-form-urlencoded",
	`Content-Length: ${length}`,
];

async function open(address: string): Promise<Socket> {
	const socket = connect(Number(new URL(address).port), "127.0.0.1");
	socket.on("error", () => {});
	await once(socket, "connect");
	return socket;
}

/** Everything that the other side says until it closes. */
async function readAll(socket: Socket): Promise<string> {
	let text = "";
	socket.on("data", (chunk) => {
		text += chunk;
	});
	await once(socket, "close");
	transcribe("http", text);
	return text;
}

const errorOf = (reply: RawReply): { code: number; sub_code: string } =>
	JSON.parse(reply.body).error_response;

describe("a node handler", () => {
	it("refuses a body whose stated length is over the limit, at once, and closes", async () => {
		const recorded = recordingReceive();
		const address = await start({ maxBodyBytes: 1000, drainTimeMs: 100 }, recorded);
		const startedAt = performance.now();
		const reply = await sendRaw(address, raw(post(1001)));
		expect(performance.now() - startedAt).toBeLessThan(2000);
		expect(reply.status).toBe(200);
		expect(errorOf(reply)).toMatchObject({ code: 41, sub_code: "isv.invalid-parameter:request_param" });
		expect(reply.headers.get("connection")).toBe("close");
		expect(recorded.reports).toEqual([]);
	});

	it("counts a body without a stated length while it streams", async () => {
		const address = await start({ maxBodyBytes: 1000, drainTimeMs: 100 });
		const [requestLine = ""] = post(0);
		const head = [requestLine, "Host: x", "Transfer-Encoding: chunked"];
		const reply = await sendRaw(address, raw(head, `7d0\r\n${"x".repeat(2000)}\r\n`));
		expect(errorOf(reply)).toMatchObject({ code: 41 });
	});

	it("lets a sender that writes everything first read its answer", async () => {
		const address = await start({ maxBodyBytes: 1000, maxDrainBytes: 10_000_000 });
		const reply = await sendRaw(address, raw(post(5_000_000), "x".repeat(5_000_000)));
		expect(errorOf(reply)).toMatchObject({ code: 41 });
	});

	it("stops listening to a sender that never ends", async () => {
		const address = await start({ maxBodyBytes: 1000, maxDrainBytes: 100_000, drainTimeMs: 60_000 });
		const socket = await open(address);
		const closed = once(socket, "close");
		socket.resume();
		socket.write(raw(post(1_000_000_000)));
		const timer = setInterval(() => socket.write("x".repeat(50_000)), 5);
		await closed;
		clearInterval(timer);
		expect(socket.destroyed).toBe(true);
	});

	it("answers a body that comes too slowly within its time, and closes", async () => {
		const recorded = recordingReceive();
		const address = await start({ bodyTimeMs: 100, drainTimeMs: 100 }, recorded);
		const startedAt = performance.now();
		const reply = await sendRaw(address, raw(post(100), "request_param="));
		expect(performance.now() - startedAt).toBeLessThan(2000);
		expect(errorOf(reply)).toMatchObject({ code: 15, sub_code: "isp.remote-service-timeout" });
		expect(recorded.reports).toEqual([]);
	});

	it("takes complete callbacks while more bodies trickle than are read at once, and gives up the oldest", async () => {
		const recorded = recordingReceive();
		const address = await start({ maxInFlight: 1, maxReading: 3, drainTimeMs: 100 }, recorded);
		const said: Promise<string>[] = [];
		const slow: Socket[] = [];
		for (let i = 0; i < 4; i++) {
			const socket = await open(address);
			slow.push(socket);
			said.push(readAll(socket));
			socket.write(raw(post(100), "request_param="));
		}
		expect(await said[0]).toContain("isp.remote-service-timeout");
		expect((await sendRaw(address, signed())).body).toContain("SUCCESS");
		expect(await said[1]).toContain("isp.remote-service-timeout");
		const bytes = signed("{}", { place: "body" });
		const newest = await open(address);
		const answer = readAll(newest);
		newest.write(bytes.subarray(0, -5));
		await new Promise((resolve) => setTimeout(resolve, 20));
		newest.end(bytes.subarray(-5));
		expect(await answer).toContain("SUCCESS");
		expect(recorded.reports).toHaveLength(2);
		for (const socket of slow) socket.destroy();
	});

	it("reads a body that comes byte by byte, up to its limit", async () => {
		const recorded = recordingReceive();
		const requestParam = JSON.stringify({ game_id: "游戏".repeat(200) });
		const [head = "", body = ""] = signed(requestParam).toString("latin1").split("\r\n\r\n");
		const chunks = [...body].map((byte) => `1\r\n${byte}\r\n`).join("");
		const chunked = head.replace(/Content-Length: .*/, "Transfer-Encoding: chunked");
		const bytes = Buffer.from(`${chunked}\r\n\r\n${chunks}0\r\n\r\n`, "latin1");
		const fitting = await start({ maxBodyBytes: body.length }, recorded);
		expect((await sendRaw(fitting, bytes)).body).toContain("SUCCESS");
		expect(recorded.reports[0]?.requestParam).toBe(requestParam);
		const tight = await start({ maxBodyBytes: body.length - 1 });
		expect(errorOf(await sendRaw(tight, bytes))).toMatchObject({ code: 41 });
	});

	it("asks for a retry within 100 ms when more requests than its limit are in flight", async () => {
		const recorded = gatedReceive();
		const address = await start({ maxInFlight: 2 }, recorded);
		const held = [sendRaw(address, signed()), sendRaw(address, signed())];
		await expect.poll(() => recorded.reports.length).toBe(2);
		const times: number[] = [];
		for (let round = 0; round < 11; round++) {
			const startedAt = performance.now();
			const error = errorOf(await sendRaw(address, signed()));
			expect(error).toMatchObject({ code: 15, sub_code: "isp.remote-service-error" });
			times.push(performance.now() - startedAt);
		}
		expect(times.sort((one, other) => one - other)[5], "median of the times, in ms").toBeLessThan(100);
		recorded.release();
		for (const reply of await Promise.all(held)) expect(reply.body).toContain("SUCCESS");
		expect((await sendRaw(address, signed())).body).toContain("SUCCESS");
	});

	it.each(["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])(
		"answers %s with code 9 and does not read its body",
		async (verb) => {
			const recorded = recordingReceive();
			const address = await start({}, recorded);
			const bytes = Buffer.from(signed().toString("latin1").replace(/^POST/, verb), "latin1");
			const reply = await sendRaw(address, bytes).catch((error: unknown) => error);
			if (verb === "HEAD") expect(reply).toBeInstanceOf(Error);
			else expect(errorOf(reply as RawReply)).toMatchObject({ code: 9 });
			expect(recorded.reports).toEqual([]);
		},
	);

	it("survives senders that go away before, during and after their body", async () => {
		const recorded = recordingReceive();
		const address = await start({ bodyTimeMs: 60_000 }, recorded);
		for (const bytes of [
			raw(post(100)),
			raw(post(100), "request_param="),
			signed("{}"),
			Buffer.from("POST /rou"),
		]) {
			const socket = await open(address);
			socket.write(bytes);
			await new Promise((resolve) => setTimeout(resolve, 20));
			socket.resetAndDestroy();
		}
		expect((await sendRaw(address, signed())).body).toContain("SUCCESS");
		await expect.poll(() => recorded.reports.length).toBe(2);
	});

	it("keeps the connection for the next request", async () => {
		const recorded = recordingReceive();
		const socket = await open(await start({}, recorded));
		const said = readAll(socket);
		socket.write(Buffer.concat([signed('{"a":1}'), signed('{"a":2}')]));
		await expect
			.poll(() => recorded.reports.map(({ requestParam }) => requestParam))
			.toEqual(['{"a":1}', '{"a":2}']);
		socket.end();
		expect((await said).match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
	});

	it.each(["form", "body", "query", "get-with-body", "multipart"] as const)(
		"takes Chinese text and what looks encoded exactly as signed, sent as %s",
		async (place) => {
			const recorded = recordingReceive();
			const text = '{"game_id":"游戏é🎮","download_url":"http://h/v?x=%3D+ &"}';
			for (const signMethod of ["md5", "hmac", "hmac-sha256"] as const) {
				const reply = await sendRaw(await start({}, recorded), signed(text, { place, signMethod }));
				expect(reply.body).toContain("SUCCESS");
			}
			expect(recorded.reports.map(({ requestParam }) => requestParam)).toEqual([text, text, text]);
		},
	);

	it("refuses the same text with one byte changed on the way", async () => {
		const bytes = signed('{"game_id":"游戏"}', { place: "multipart" });
		const changed = Buffer.from(bytes);
		const at = changed.indexOf(Buffer.from("游"));
		changed[at + 2] = (changed[at + 2] ?? 0) ^ 1;
		expect(errorOf(await sendRaw(await start(), changed))).toMatchObject({ code: 25 });
	});

	it("leaves other paths to others and answers its own in absolute form too", async () => {
		const address = await start();
		for (const path of ["/", "/router/rest/", "/router/restx", "/router/batches", "//router/rest", "*"]) {
			expect((await sendRaw(address, raw([`GET ${path} HTTP/1.1`, "Host: x"]))).status).toBe(404);
		}
		const absolute = await sendRaw(
			address,
			raw(["GET http://gateway/router/rest?format=json HTTP/1.1", "Host: x"]),
		);
		expect(errorOf(absolute)).toMatchObject({ code: 21 });
	});

	it("calls next for another path, and leaves the request to it", async () => {
		const handler = createNodeHandler(handlerOptions(recordingReceive().receive));
		const server = createServer((request, response) => {
			const isTaken = handler(request, response, () => response.end(`next ${request.url}`));
			expect(isTaken).toBe(false);
		});
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		const { port } = server.address() as AddressInfo;
		const reply = await sendRaw(`http://127.0.0.1:${port}`, raw(["GET /other HTTP/1.1", "Host: x"]));
		expect(reply.body).toBe("next /other");
		server.closeAllConnections();
		server.close();
	});

	it("answers the path that it was given", async () => {
		const address = await start({}, recordingReceive(), { path: "/top" });
		expect((await sendRaw(address, raw(["GET /router/rest HTTP/1.1", "Host: x"]))).status).toBe(404);
		expect((await sendRaw(address, raw(["GET /top HTTP/1.1", "Host: x"]))).status).toBe(200);
	});

	it.each([0, -1, 1.5, Number.NaN])("refuses a limit of %d", (maxBodyBytes) => {
		const options = { ...handlerOptions(recordingReceive().receive), limits: { maxBodyBytes } };
		expect(() => createNodeHandler(options)).toThrow("limits.maxBodyBytes must be a positive whole number");
	});
});

describe("pathOf", () => {
	it("ends before query and fragment and is empty for a bare authority", () => {
		expect(["/a?b", "/a#b", "/a", "http://h/a?b", "HTTPS://h", ""].map(pathOf)).toEqual([
			"/a",
			"/a",
			"/a",
			"/a",
			"",
			"",
		]);
	});
});
