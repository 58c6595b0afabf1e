import { beforeEach, describe, expect, it } from "vitest";
import type { HttpVideoSourceOptions } from "./http-video-source.js";
import {
	type Answer,
	connections,
	type HttpServer,
	inside,
	names,
	open,
	outside,
	serve,
} from "./test-way-inside.js";

const PUBLIC = "8.8.8.8";
const LINK = "http://b.aliyuncs.com/v.mp4?Signature=s";

/** Locations, with `PORT` for that of what must not be reached. */
const LOCATIONS = [
	"http://127.0.0.1:PORT/",
	"http://127.1:PORT/",
	"http://2130706433:PORT/",
	"http://0x7f000001:PORT/",
	"http://[::ffff:127.0.0.1]:PORT/",
	"http://localhost:PORT/",
	"http://0.0.0.0:PORT/",
	"//127.0.0.1:PORT/",
	"///127.0.0.1:PORT/",
	"/\\127.0.0.1:PORT/",
	"\\\\127.0.0.1:PORT/",
	"h\tttp://127.0.0.1:PORT/",
	"http:\\\\127.0.0.1:PORT",
	"https://127.0.0.1:PORT/",
	"//user@b.aliyuncs.com/v",
	"//:pass@b.aliyuncs.com/v",
	"http://user:pass@b.aliyuncs.com/v",
	"http://b.aliyuncs.com@127.0.0.1:PORT/",
	"http://127.0.0.1:PORT#@b.aliyuncs.com/",
	"http://loopback.aliyuncs.com:PORT/",
	"//loopback.aliyuncs.com:PORT/",
	"https://loopback.aliyuncs.com:PORT/",
	"http://mixed.aliyuncs.com:PORT/",
	"http://alias.aliyuncs.com:PORT/",
	"http://private.aliyuncs.com/",
	"http://bucket.oss-internal.aliyuncs.com/",
	"http://b.aliyuncs.com:22/",
	"http://evil-aliyuncs.com:PORT/",
	"http://b.aliyuncs.com.evil.io:PORT/",
	"file:///etc/passwd",
	"ftp://b.aliyuncs.com/v.mp4",
	"gopher://127.0.0.1:PORT/_GET",
	"data:video/mp4;base64,AAAA",
	"javascript:alert(1)",
	"http://",
];
/** Where nothing leads, although the private network is allowed. */
const NEVER = [
	"http://zero.aliyuncs.com:PORT/",
	"http://metadata.aliyuncs.com:PORT/",
	"http://ecs-metadata.aliyuncs.com/latest/meta-data/ram/security-credentials/",
	"http://mapped.aliyuncs.com:PORT/",
	"http://linklocal.aliyuncs.com:PORT/",
	"http://100.100.100.200/latest/meta-data/",
	"http://[fd00:ec2::254]/latest/meta-data/",
];

beforeEach(() => {
	names.answer("b.aliyuncs.com", { addresses: [PUBLIC] });
	names.answer("loopback.aliyuncs.com", { addresses: ["127.0.0.1"] });
	names.answer("mixed.aliyuncs.com", { addresses: [PUBLIC, "127.0.0.1"] });
	names.answer("alias.aliyuncs.com", { alias: "loopback.aliyuncs.com" });
	names.answer("private.aliyuncs.com", { addresses: ["192.168.0.1"] });
	names.answer("bucket.oss-internal.aliyuncs.com", { addresses: ["100.64.0.1"] });
	names.answer("zero.aliyuncs.com", { addresses: ["0.0.0.0"] });
	names.answer("metadata.aliyuncs.com", { addresses: ["169.254.169.254"] });
	names.answer("ecs-metadata.aliyuncs.com", { addresses: ["100.100.100.200"] });
	names.answer("mapped.aliyuncs.com", { addresses: ["::ffff:100.100.100.200"] });
	names.answer("linklocal.aliyuncs.com", { addresses: ["127.0.0.1", "fe80::1"] });
	for (const host of ["evil-aliyuncs.com", "b.aliyuncs.com.evil.io"])
		names.answer(host, { addresses: ["127.0.0.1"] });
});

/** Stands for the public origin of `LINK`. */
async function publicOrigin(answer: Answer): Promise<HttpServer> {
	const origin = await serve(answer);
	outside.set(`${PUBLIC}:80`, origin.port);
	return origin;
}

async function expectRefused(status: number, location: string, options: HttpVideoSourceOptions = {}) {
	const headers = { location: location.replace("PORT", String(inside.port)) };
	const origin = await publicOrigin(() => ({ status, headers }));
	expect(await open(LINK, options)).toMatchObject({ _tag: "Unavailable", reason: "not-allowed" });
	expect(origin.connections()).toBe(1);
	expect(connections).toEqual([`${PUBLIC}:80`]);
	expect(inside.connections()).toBe(0);
}

describe("no way inside by a redirect", () => {
	it.each(LOCATIONS)("to %j", (location) => expectRefused(302, location));

	it.each(NEVER)("to %j", (location) => expectRefused(302, location));

	it.each(NEVER)("to %j, although the private network and OSS inside are allowed", (location) =>
		expectRefused(302, location, { allowPrivateNetwork: true, allowOssInternal: true }),
	);

	it.each([301, 302, 303, 307, 308])("with status %i", async (status) => {
		for (const location of [
			"http://127.0.0.1:PORT/",
			"//user@b.aliyuncs.com/",
			"http://alias.aliyuncs.com:PORT/",
		]) {
			connections.splice(0);
			await expectRefused(status, location);
		}
	});

	it.each([300, 304, 305, 306])("with status %i, which is none", async (status) => {
		const headers = { location: `http://loopback.aliyuncs.com:${inside.port}/` };
		await publicOrigin(() => ({ status, headers }));
		expect(await open(LINK, { allowPrivateNetwork: true })).toMatchObject({ reason: "failed" });
		expect(connections).toEqual([`${PUBLIC}:80`]);
	});

	it("at the end of some that lead nowhere bad", async () => {
		const path = ["/1", "//b.aliyuncs.com/2", `http://loopback.aliyuncs.com:${inside.port}/`];
		const origin = await publicOrigin((target) => {
			const location = path[["/v.mp4?Signature=s", "/1", "/2"].indexOf(target)] ?? "/nowhere";
			return { status: 307, headers: { location } };
		});
		expect(await open(LINK)).toMatchObject({ reason: "not-allowed" });
		expect(origin.connections()).toBe(3);
		expect(inside.connections()).toBe(0);
	});

	it("nor by any that do not end: the fourth is not followed", async () => {
		const origin = await publicOrigin((target) => ({ status: 302, headers: { location: `${target}x` } }));
		const message = expect.stringContaining("3 times");
		expect(await open(LINK)).toMatchObject({ reason: "failed", message });
		expect(origin.connections()).toBe(4);
	});

	it("nor by headers and pages that are none", async () => {
		const url = `http://loopback.aliyuncs.com:${inside.port}/`;
		const headers = { refresh: `0; url=${url}`, "content-location": url, link: `<${url}>`, location: url };
		await publicOrigin(() => ({ status: 200, headers, body: "video" }));
		expect(await open(LINK, { allowPrivateNetwork: true })).toMatchObject({ _tag: "Opened" });
		expect(connections).toEqual([`${PUBLIC}:80`]);
	});
});
