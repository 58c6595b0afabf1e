import { describe, expect, it } from "vitest";
import { MAX_ADDRESSES } from "./resolve-host.js";
import { connections, expectNoWay, inside, names, open, serve } from "./test-way-inside.js";

const HOST = "b.aliyuncs.com";
const INSIDE = [
	"127.0.0.1",
	"127.0.0.2",
	"10.0.0.1",
	"172.16.0.1",
	"192.168.1.1",
	"100.64.0.1",
	"100.100.100.200",
	"169.254.169.254",
	"169.254.1.1",
	"0.0.0.0",
	"224.0.0.1",
	"255.255.255.255",
	"::1",
	"::",
	"::ffff:127.0.0.1",
	"::ffff:100.100.100.200",
	"::127.0.0.1",
	"64:ff9b::7f00:1",
	"64:ff9b::a9fe:a9fe",
	"64:ff9b:1::7f00:1",
	"2002:7f00:1::",
	"2001:0:7f00:1::",
	"fe80::1",
	"fd00:ec2::254",
	"fd12::1",
	"ff02::1",
];
const OSS_INSIDE = "bucket.oss-cn-hangzhou-internal.aliyuncs.com";

const linkTo = (host: string): string => `http://${host}:${inside.port}/v.mp4?Signature=s`;

describe("no way inside by a name", () => {
	it.each(INSIDE)("that has the address %s", async (address) => {
		names.answer(HOST, { addresses: [address] });
		await expectNoWay(linkTo(HOST));
	});

	it.each(INSIDE)("that has, among good addresses, %s", async (address) => {
		names.answer(HOST, { addresses: ["8.8.8.8", "2400:3200::1", address, "8.8.4.4"] });
		await expectNoWay(linkTo(HOST));
	});

	it.each(INSIDE)("that is an alias of an alias of one with the address %s", async (address) => {
		names.answer(HOST, { alias: "harmless.example" });
		names.answer("harmless.example", { alias: "inside.example" });
		names.answer("inside.example", { addresses: [address] });
		await expectNoWay(linkTo(HOST));
	});

	it.each([
		"100.100.100.200",
		"169.254.169.254",
		"0.0.0.0",
		"::127.0.0.1",
		"fd00:ec2::254",
		"64:ff9b::6464:64c8",
	])("that has %s, although the private network is allowed", async (address) => {
		names.answer(HOST, { addresses: ["127.0.0.1", address] });
		await expectNoWay(linkTo(HOST), { allowPrivateNetwork: true });
	});

	it.each(["localhost", "localhost.localdomain", "metadata.google.internal", "kubernetes.default.svc"])(
		"that the machine may know, such as %s: it is not even resolved",
		async (host) => {
			await expectNoWay(linkTo(host), { allowPrivateNetwork: true });
			expect(names.queries(host)).toEqual({ A: 0, AAAA: 0 });
		},
	);

	it("that has more addresses than anyone would look at", async () => {
		const resolve = async () => Array.from({ length: MAX_ADDRESSES + 1 }, () => "8.8.8.8");
		const result = await open(`http://${HOST}/v`, { resolve });
		expect(result).toMatchObject({ reason: "unreachable", message: expect.stringContaining("64 addresses") });
		expect(connections).toEqual([]);
	});

	it("that takes too long to resolve", async () => {
		names.answer(HOST, { addresses: ["127.0.0.1"], delayMs: 500 });
		const result = await open(linkTo(HOST), { allowPrivateNetwork: true, connectTimeoutMs: 30 });
		expect(result).toMatchObject({ reason: "unreachable", message: expect.stringContaining("resolved") });
		expect(connections).toEqual([]);
	});
});

describe("no way inside by a name that changes", () => {
	it("between the check and the connection: the address that was checked is connected to", async () => {
		names.answer(HOST, { addresses: ["8.8.8.8"] }, { addresses: ["127.0.0.1"] });
		// Held back by the test, so that nobody outside is bothered: the connection fails.
		expect(await open(linkTo(HOST))).toMatchObject({ reason: "unreachable" });
		expect(connections).toEqual([`8.8.8.8:${inside.port}`]);
		expect(names.queries(HOST)).toEqual({ A: 1, AAAA: 1 });
		expect(inside.connections()).toBe(0);
		connections.splice(0);
		await expectNoWay(linkTo(HOST));
		expect(names.queries(HOST)).toEqual({ A: 2, AAAA: 2 });
	});

	it("between the check and the connection, over a connection that is really made", async () => {
		const { port } = inside;
		const checked = await serve(() => ({ status: 200, body: "video" }), { host: "127.0.0.2", port });
		names.answer(HOST, { addresses: ["127.0.0.2"] }, { addresses: ["127.0.0.1"] });
		expect(await open(linkTo(HOST), { allowPrivateNetwork: true })).toMatchObject({ _tag: "Opened" });
		expect(checked.connections()).toBe(1);
		expect(inside.connections()).toBe(0);
		expect(names.queries(HOST)).toEqual({ A: 1, AAAA: 1 });
	});

	it("between one hop and the next: each is checked", async () => {
		const { port } = inside;
		const options = { allowPrivateNetwork: true };
		const again = { status: 302, headers: { location: linkTo(HOST) } };
		const origin = await serve(() => again, { host: "127.0.0.2", port });
		names.answer(HOST, { addresses: ["127.0.0.2"] }, { addresses: ["0.0.0.0"] });
		expect(await open(linkTo(HOST), options)).toMatchObject({ reason: "not-allowed" });
		expect(origin.connections()).toBe(1);
		expect(inside.connections()).toBe(0);
		expect(names.queries(HOST)).toEqual({ A: 2, AAAA: 2 });
	});
});

describe("the way to OSS inside Alibaba Cloud", () => {
	it("is open to its hosts, when it is allowed", async () => {
		names.answer(OSS_INSIDE, { addresses: ["100.118.28.52"] });
		expect(await expectNoWay(`http://${OSS_INSIDE}/v`)).toContain("--allow-oss-internal");
		expect(await open(`http://${OSS_INSIDE}/v`, { allowOssInternal: true })).toMatchObject({
			reason: "unreachable",
		});
		expect(connections).toEqual(["100.118.28.52:80"]);
	});

	it.each([
		"100.100.100.200",
		"10.0.0.1",
		"127.0.0.1",
		"::ffff:100.64.0.1",
		"64:ff9b::6440:1",
		"169.254.169.254",
	])("leads not to %s", async (address) => {
		names.answer(OSS_INSIDE, { addresses: ["100.118.28.52", address] });
		await expectNoWay(`http://${OSS_INSIDE}/v`, { allowOssInternal: true });
	});

	it.each([
		HOST,
		"internal.aliyuncs.com",
		"oss-cn-hangzhou-internal.aliyuncs.com.evil.io",
		"oss-cn-hangzhou-internal.evil-aliyuncs.com",
		"oss-cn-hangzhou-internal.a.aliyuncs.com",
		"-internal.aliyuncs.com",
	])("is closed to %s", async (host) => {
		names.answer(host, { addresses: ["100.64.0.1"] });
		const options = {
			allowOssInternal: true,
			allowHosts: ["*.aliyuncs.com", "*.evil.io", "*.evil-aliyuncs.com"],
		};
		await expectNoWay(`http://${host}/v`, options);
	});

	it("is closed on other ports, and to hosts that are not allowed", async () => {
		names.answer(OSS_INSIDE, { addresses: ["100.118.28.52"] });
		const allowOssInternal = true;
		expect(await expectNoWay(`http://${OSS_INSIDE}:8080/v`, { allowOssInternal })).toContain("port");
		await expectNoWay(`http://${OSS_INSIDE}/v`, { allowOssInternal, allowHosts: ["*.example"] });
	});
});
