import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createHttpVideoSource } from "./http-video-source.js";
import { upgradeToHttps } from "./https-upgrade.js";
import { connections, expectNoWay, type HttpServer, names, open, outside, serve } from "./test-way-inside.js";

const LINK = "http://b.aliyuncs.com/v.mp4?Signature=s";
const ADDRESS = "8.8.8.8";
const HTTP = `${ADDRESS}:80`;
const HTTPS = `${ADDRESS}:443`;
const PREFER = { preferHttps: true };
/** Stands in for a certificate that the machine trusts. */
const trustAll = (): void => void vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");

const targets: string[] = [];
let plain: HttpServer;
let secure: HttpServer;
let silent: Server | undefined;
const sockets: Socket[] = [];

beforeEach(async () => {
	targets.splice(0);
	names.answer("b.aliyuncs.com", { addresses: [ADDRESS] });
	const answer = (scheme: string) => (target: string) => {
		targets.push(`${scheme} ${target}`);
		return { status: 200, body: scheme };
	};
	plain = await serve(answer("http"));
	secure = await serve(answer("https"), { isTls: true });
	outside.set(HTTP, plain.port);
	outside.set(HTTPS, secure.port);
});
afterEach(() => {
	vi.unstubAllEnvs();
	silent?.close();
	for (const socket of sockets.splice(0)) socket.destroy();
});

/** The port of a server that says nothing. */
async function startSilence(): Promise<number> {
	silent = createServer((socket) => sockets.push(socket));
	await new Promise<void>((resolve) => silent?.listen(0, "127.0.0.1", resolve));
	return (silent.address() as AddressInfo).port;
}

async function read(link: string, options = {}): Promise<string> {
	const result = await open(link, options);
	if (result._tag !== "Opened") return result.message;
	let text = "";
	for await (const chunk of result.body) text += Buffer.from(chunk).toString();
	return text;
}

describe("a link that says http", () => {
	it("is asked as it says, unless https is preferred", async () => {
		trustAll();
		expect(await read(LINK)).toBe("http");
		expect(connections).toEqual([HTTP]);
	});

	it("is asked over https only, query and all, where that works", async () => {
		trustAll();
		expect(await read(LINK, PREFER)).toBe("https");
		expect(targets).toEqual(["https /v.mp4?Signature=s"]);
		expect(connections).toEqual([HTTPS]);
	});

	it("is asked by http when the certificate is not to be trusted: nothing was said before", async () => {
		expect(await read(LINK, PREFER)).toBe("http");
		expect(targets).toEqual(["http /v.mp4?Signature=s"]);
		expect(connections).toEqual([HTTPS, HTTP]);
		expect(names.queries("b.aliyuncs.com")).toEqual({ A: 1, AAAA: 1 });
	});

	it("is asked by http when nobody listens, or nobody speaks TLS, or nobody says anything", async () => {
		outside.delete(HTTPS);
		expect(await read(LINK, PREFER)).toBe("http");
		outside.set(HTTPS, plain.port);
		expect(await read(LINK, PREFER)).toBe("http");
		outside.set(HTTPS, await startSilence());
		expect(await read(LINK, { ...PREFER, connectTimeoutMs: 100 })).toBe("http");
	});

	it("is not asked by http when https answered, whatever it said", async () => {
		trustAll();
		const busy = await serve(() => ({ status: 503 }), { isTls: true });
		outside.set(HTTPS, busy.port);
		expect(await open(LINK, PREFER)).toMatchObject({ reason: "busy" });
		expect(connections).toEqual([HTTPS]);
	});

	it("is not asked by http once it is not wanted any more", async () => {
		outside.set(HTTPS, await startSilence());
		const stop = new AbortController();
		const source = createHttpVideoSource({ ...PREFER, resolve: names.resolve });
		const opening = source.open(LINK, { signal: stop.signal });
		await vi.waitFor(() => expect(connections).toEqual([HTTPS]));
		stop.abort();
		expect(await opening).toMatchObject({ reason: "unreachable" });
		expect(connections).toEqual([HTTPS]);
	});

	it("may redirect to http, where https is preferred again", async () => {
		trustAll();
		const location = "http://b.aliyuncs.com/moved";
		const moved = await serve(
			(to) => (to === "/moved" ? { status: 200, body: to } : { status: 302, headers: { location } }),
			{
				isTls: true,
			},
		);
		outside.set(HTTPS, moved.port);
		expect(await read(LINK, PREFER)).toBe("/moved");
		expect(connections).toEqual([HTTPS, HTTPS]);
	});

	it("is asked as it says where port 443 is not allowed", async () => {
		trustAll();
		expect(await read(LINK, { ...PREFER, allowPorts: [80] })).toBe("http");
		expect(connections).toEqual([HTTP]);
	});

	it("leads nowhere inside for it", async () => {
		names.answer("b.aliyuncs.com", { addresses: ["127.0.0.1"] });
		await expectNoWay(LINK, PREFER);
	});
});

describe("a link that says https", () => {
	it("is never asked by http", async () => {
		for (const options of [{}, PREFER]) {
			expect(await open(LINK.replace("http:", "https:"), options)).toMatchObject({
				reason: "unreachable",
				message: expect.stringContaining("DEPTH_ZERO_SELF_SIGNED_CERT"),
			});
		}
		expect(connections).toEqual([HTTPS, HTTPS]);
		expect(targets).toEqual([]);
	});

	it("is not followed to http", async () => {
		trustAll();
		const moved = await serve(() => ({ status: 302, headers: { location: LINK } }), { isTls: true });
		outside.set(HTTPS, moved.port);
		expect(await open(LINK.replace("http:", "https:"), PREFER)).toMatchObject({
			reason: "not-allowed",
			message: expect.stringContaining("from https to http"),
		});
		expect(connections).toEqual([HTTPS]);
	});
});

describe("upgradeToHttps", () => {
	it.each([
		["http://b.aliyuncs.com/v.mp4?x=1#y", "https://b.aliyuncs.com/v.mp4?x=1#y"],
		["http://b.aliyuncs.com:80/v", "https://b.aliyuncs.com/v"],
		["http://b.aliyuncs.com:8080/v", undefined],
		["http://b.aliyuncs.com:443/v", undefined],
		["https://b.aliyuncs.com/v", undefined],
	])("makes %s %s", (link, upgraded) => {
		expect(upgradeToHttps(new URL(link))?.href).toBe(upgraded);
	});
});
