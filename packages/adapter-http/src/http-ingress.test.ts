import { once } from "node:events";
import { connect } from "node:net";
import type { Health, Problem } from "@reelkeep/core/ports";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { afterEach, describe, expect, it } from "vitest";
import { gatedReceive, handlerOptions, ingressStarter, recordingReceive, signed } from "../test/harness.js";
import { createHttpIngress } from "./http-ingress.js";

const { start, stop } = ingressStarter();
afterEach(stop);

const get = (path: string): Buffer => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
const portOf = (address: string): number => Number(new URL(address).port);

describe("an HTTP ingress that is handed what is no request", () => {
	it.each([
		["garbage", "\u0016\u0003\u0001 hello\r\n\r\n"],
		["another protocol", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
		["headers over the limit", `GET /router/rest HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(40_000)}\r\n\r\n`],
		[
			"a query over the parser's limit",
			`GET /router/rest?a=${"x".repeat(40_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
		],
		[
			"two lengths",
			"POST /router/rest HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		],
		[
			"a length and chunks",
			"POST /router/rest HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		],
		[
			"chunks that are not the last encoding",
			"POST /router/rest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
		],
		["a header's name with a space", "GET /router/rest HTTP/1.1\r\nHost: x\r\nX Y: 1\r\n\r\n"],
		["a header's value with a NUL", "GET /router/rest HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n"],
		["a broken chunk", "POST /router/rest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
	])("answers %s with a TOP error, and lives", async (_what, text) => {
		const recorded = recordingReceive();
		const { address } = await start({}, recorded);
		const reply = await sendRaw(address, Buffer.from(text, "latin1"));
		expect(reply.status).toBe(200);
		expect(reply.body).toMatch(/^<error_response><code>41<\/code>/);
		expect(reply.headers.get("connection")).toBe("close");
		expect(recorded.reports).toEqual([]);
		expect((await sendRaw(address, signed())).body).toContain("SUCCESS");
	});

	it.each(["GET", "POST"])("answers a %s without Host with a TOP error", async (verb) => {
		const { address } = await start();
		const reply = await sendRaw(address, Buffer.from(`${verb} /router/rest?format=json HTTP/1.1\r\n\r\n`));
		expect(reply.status).toBe(200);
		expect(reply.body).toContain('"code":21');
	});

	it("answers CONNECT with code 9, and closes", async () => {
		const { address } = await start();
		const reply = await sendRaw(address, Buffer.from("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"));
		expect(reply.body).toMatch(/^<error_response><code>9<\/code>/);
		expect(reply.headers.get("connection")).toBe("close");
	});

	it.each([
		["an expectation that nobody has", { Expect: "foo" }],
		["the offer of another protocol", { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c" }],
	])("serves a callback with %s", async (_what, headers) => {
		const recorded = recordingReceive();
		const { address } = await start({}, recorded);
		expect((await sendRaw(address, signed({ headers }))).body).toContain("SUCCESS");
		expect(recorded.reports).toHaveLength(1);
	});

	it("serves a callback of HTTP/1.0, which names no host, and closes", async () => {
		const { address } = await start();
		const old = signed()
			.toString("latin1")
			.replace("HTTP/1.1", "HTTP/1.0")
			.replace(/Host: .*\r\n/, "");
		const reply = await sendRaw(address, Buffer.from(old, "latin1"));
		expect(reply.body).toContain("SUCCESS");
		expect(reply.headers.get("connection")).toBe("close");
	});

	it("answers a long query that the parser lets through", async () => {
		const { address } = await start();
		const reply = await sendRaw(address, get(`/router/rest?format=json&a=${"x".repeat(20_000)}`));
		expect(reply.body).toContain("<code>41</code>");
		expect(reply.body).toContain("the query is longer than 16384 bytes");
	});

	it.each([
		["a request line", "POST /rou"],
		["headers", "POST /router/rest HTTP/1.1\r\nHost: x\r\n"],
		["a second request", `${get("/healthz").toString()}POST /router/rest HTTP/1.1\r\n`],
	])("answers %s that never ends within its time", async (_what, text) => {
		const { address } = await start({ headersTimeMs: 150 });
		const socket = connect(portOf(address), "127.0.0.1");
		let said = "";
		socket.on("data", (chunk) => {
			said += chunk;
		});
		socket.write(text);
		const startedAt = performance.now();
		await once(socket, "close");
		expect(performance.now() - startedAt).toBeLessThan(3000);
		expect(said).toMatch(/HTTP\/1.1 200 OK[\s\S]*<code>15<\/code>[\s\S]*isp.remote-service-timeout/);
	});
});

describe("an HTTP ingress that stops", () => {
	it("cuts what is not answered in its time", async () => {
		const recorded = gatedReceive();
		const { ingress, address } = await start({ stopTimeMs: 100 }, recorded);
		const reply = sendRaw(address, signed()).catch((error: Error) => error.message);
		await expect.poll(() => recorded.reports.length).toBe(1);
		const startedAt = performance.now();
		await ingress.stop();
		expect(performance.now() - startedAt).toBeLessThan(3000);
		expect(await reply).toBe("the connection ended without a whole reply");
		recorded.release();
	});

	it("answers what is in flight, says that it closes, and takes nothing new", async () => {
		const recorded = gatedReceive();
		const { ingress, address } = await start({}, recorded);
		const reply = sendRaw(address, signed());
		await expect.poll(() => recorded.reports.length).toBe(1);
		const stopped = ingress.stop();
		await expect(sendRaw(address, signed())).rejects.toThrow("without a whole reply");
		recorded.release();
		expect((await reply).body).toContain("SUCCESS");
		expect((await reply).headers.get("connection")).toBe("close");
		await stopped;
		expect(recorded.reports).toHaveLength(1);
	});

	it("does not wait for idle connections, and may be stopped again or before its start", async () => {
		const { ingress, address } = await start();
		const idle = connect(portOf(address), "127.0.0.1");
		await once(idle, "connect");
		idle.write(get("/healthz"));
		await once(idle, "data");
		const closed = once(idle, "close");
		const startedAt = performance.now();
		await Promise.all([ingress.stop(), ingress.stop()]);
		await ingress.stop();
		expect(performance.now() - startedAt).toBeLessThan(3000);
		await closed;
		const { receive: _, ...options } = handlerOptions(recordingReceive().receive);
		await createHttpIngress(options).stop();
	});
});

describe("an HTTP ingress", () => {
	it("rejects when its address is taken, and when it is started twice", async () => {
		const { ingress, address } = await start();
		const { receive, ...options } = handlerOptions(recordingReceive().receive);
		const second = createHttpIngress({ ...options, port: portOf(address) });
		await expect(second.start(receive)).rejects.toMatchObject({ code: "EADDRINUSE" });
		await second.stop();
		await expect(ingress.start(receive)).rejects.toThrow("started before");
	});

	it("listens on loopback only, unless told otherwise, and says where", async () => {
		expect((await start()).address).toMatch(/^http:\/\/127\.0\.0\.1:[1-9][0-9]*$/);
		expect((await start({ host: "::1" })).address).toMatch(/^http:\/\/\[::1\]:[1-9][0-9]*$/);
	});

	it("answers a sender that closes its half after the request", async () => {
		const recorded = gatedReceive();
		const { address } = await start({}, recorded);
		const socket = connect({ port: portOf(address), host: "127.0.0.1", allowHalfOpen: true });
		let said = "";
		socket.on("data", (chunk) => {
			said += chunk;
		});
		socket.end(signed());
		await expect.poll(() => recorded.reports.length).toBe(1);
		recorded.release();
		await once(socket, "end");
		socket.destroy();
		expect(said).toContain("SUCCESS");
	});

	it("answers 404 elsewhere, without a body", async () => {
		const { address } = await start();
		const reply = await sendRaw(address, get("/"));
		expect([reply.status, reply.body]).toEqual([404, ""]);
	});

	it("answers 200 on /healthz as long as it lives, and on /readyz when nothing is wrong", async () => {
		const { address } = await start({ health: { check: async () => [] } });
		expect(await sendRaw(address, get("/healthz?x"))).toMatchObject({ status: 200, body: '{"status":"ok"}' });
		expect(await sendRaw(address, get("/readyz"))).toMatchObject({ status: 200, body: '{"status":"ready"}' });
		expect((await sendRaw(address, Buffer.from("PUT /readyz HTTP/1.1\r\nHost: x\r\n\r\n"))).status).toBe(404);
	});

	it("answers 200 on /readyz with what is degraded: callbacks are received all the same", async () => {
		const problems = [
			{ source: "archiver", message: "a host is not allowed", severity: "degraded" as const },
		];
		const { address } = await start({ health: { check: async () => problems } });
		const reply = await sendRaw(address, get("/readyz"));
		expect(reply.status).toBe(200);
		expect(JSON.parse(reply.body)).toEqual({ status: "degraded", problems });
	});

	it.each<[string, Health["check"], Problem[]]>([
		[
			"names what is wrong",
			async () => [{ source: "disk", message: "is full" }],
			[{ source: "disk", message: "is full" }],
		],
		[
			"says that the check failed, and not how",
			() => Promise.reject(new Error("secret")),
			[{ source: "http", message: "the health check failed" }],
		],
	])("answers 503 on /readyz and %s", async (_what, check, problems) => {
		const { address } = await start({ health: { check } });
		const reply = await sendRaw(address, get("/readyz"));
		expect(reply.status).toBe(503);
		expect(JSON.parse(reply.body)).toEqual({ status: "not ready", problems });
		expect((await sendRaw(address, get("/healthz"))).status).toBe(200);
	});
});
