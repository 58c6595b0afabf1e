import { describe, expect, it } from "vitest";
import { connections, expectNoWay, inside, names, open, serve } from "./test-way-inside.js";

/** Spellings of one address each, as `URL` takes them, and some that it does not. */
const SPELLINGS = {
	loopback: [
		"127.0.0.1",
		"127.1",
		"127.0.1",
		"127.0.0.1.",
		"127.255.255.254",
		"2130706433",
		"017700000001",
		"0177.0.0.1",
		"0177.0.0.01",
		"0x7f.1",
		"0x7f000001",
		"0X7F.0.0.0x1",
		"%31%32%37.0.0.1",
		"127.0.0%2e1",
		"１２７.０.０.１",
		"127。0。0。1",
		"127．0．0．1",
		"①②⑦.⓪.⓪.①",
		"0.0.0.0",
		"0",
		"0x0",
		"[::]",
		"[::1]",
		"[0:0:0:0:0:0:0:1]",
		"[0000::0001]",
		"[::ffff:127.0.0.1]",
		"[::FFFF:7F00:1]",
		"[0:0:0:0:0:ffff:127.0.0.1]",
		"[::127.0.0.1]",
		"[::ffff:0:127.0.0.1]",
		"[64:ff9b::127.0.0.1]",
		"[64:ff9b::7f00:1]",
		"[64:ff9b:1::7f00:1]",
		"[2002:7f00:1::]",
		"[2001:0:7f00:1::]",
		"[::1%25lo]",
		"[::1%lo]",
	],
	private: [
		"10.0.0.1",
		"10.1",
		"167772161",
		"0xa000001",
		"012.0.0.1",
		"172.16.0.1",
		"172.31.255.255",
		"0xac100001",
		"192.168.0.1",
		"192.168.1",
		"3232235521",
		"１９２.168.0.1",
		"[::ffff:10.0.0.1]",
		"[::ffff:c0a8:1]",
		"[64:ff9b::a00:1]",
		"[2002:a00:1::]",
		"[fc00::1]",
		"[fd12:3456:789a::1]",
	],
	shared: [
		"100.64.0.1",
		"100.127.255.254",
		"1681915905",
		"0x64400001",
		"0144.0100.0.1",
		"[::ffff:100.64.0.1]",
	],
	reserved: [
		"169.254.1.1",
		"2851996929",
		"[fe80::1]",
		"[fe80::a9fe:a9fe]",
		"[fe80::1%25eth0]",
		"[fe80::1%eth0]",
		"[fec0::1]",
		"224.0.0.1",
		"[ff02::1]",
		"240.0.0.1",
		"255.255.255.255",
		"0xffffffff",
		"192.0.2.1",
		"198.18.0.1",
		"[2001:db8::1]",
		"[2002:808:808::1]",
		"[2001::1]",
		"[::8.8.8.8]",
		"[100::1]",
	],
	metadata: [
		"100.100.100.200",
		"1684301000",
		"0x646464c8",
		"0x64.0x64.0x64.0xc8",
		"0144.0144.0144.0310",
		"100.100.25800",
		"100.6579400",
		"100.100.100.200.",
		"１００.100.100.２００",
		"[::ffff:100.100.100.200]",
		"[::ffff:6464:64c8]",
		"[64:ff9b::6464:64c8]",
		"[2002:6464:64c8::1]",
		"[::6464:64c8]",
		"169.254.169.254",
		"2852039166",
		"0xa9fea9fe",
		"0xA9.0xFE.0xA9.0xFE",
		"0251.0376.0251.0376",
		"169.254.43518",
		"169.16689662",
		"①⑥⑨.②⑤④.①⑥⑨.②⑤④",
		"169。254。169。254",
		"%31%36%39.254.169.254",
		"[::ffff:169.254.169.254]",
		"[::ffff:a9fe:a9fe]",
		"[64:ff9b::a9fe:a9fe]",
		"[2002:a9fe:a9fe::]",
		"[fd00:ec2::254]",
		"[FD00:0EC2:0:0:0:0:0:254]",
		"[fd00:c1::a9fe:a9fe]",
	],
} as const;

const all = Object.entries(SPELLINGS).flatMap(([kind, hosts]) => hosts.map((host) => [host, kind] as const));

/** The host as the pattern that allows it; one that no URL has needs none. */
function allowing(link: string): readonly string[] {
	return URL.canParse(link) ? [new URL(link).hostname] : [];
}

describe("no way inside by a literal address", () => {
	it.each(all)("is %s (%s), which is no allowed host", async (host) => {
		await expectNoWay(`http://${host}:${inside.port}/v.mp4?Signature=s`);
	});

	it.each(all)("is %s (%s), although that host is allowed", async (host) => {
		const link = `http://${host}:${inside.port}/v.mp4?Signature=s`;
		await expectNoWay(link, { allowHosts: ["*.aliyuncs.com", ...allowing(link)] });
	});

	it.each([...SPELLINGS.metadata, ...SPELLINGS.reserved, "0.0.0.0", "0", "[::]", "[::127.0.0.1]"])(
		"is %s, although that host and the private network are allowed",
		async (host) => {
			const link = `http://${host}:${inside.port}/latest/meta-data/`;
			await expectNoWay(link, { allowHosts: allowing(link), allowPrivateNetwork: true });
		},
	);

	it.each([...SPELLINGS.shared, ...SPELLINGS.metadata])("is %s, which is no host of OSS", async (host) => {
		const link = `http://${host}/v.mp4`;
		await expectNoWay(link, { allowHosts: allowing(link), allowOssInternal: true });
	});
});

describe("no way inside by another scheme or a user name", () => {
	it.each([
		"file:///etc/passwd",
		"file://127.0.0.1/etc/passwd",
		"ftp://b.aliyuncs.com/v.mp4",
		"gopher://b.aliyuncs.com:70/_GET",
		"data:video/mp4;base64,AAAA",
		"javascript:fetch('http://127.0.0.1')",
		"ws://b.aliyuncs.com/",
		"blob:http://b.aliyuncs.com/v",
		"//b.aliyuncs.com/v.mp4",
		"b.aliyuncs.com/v.mp4",
		"http://",
		"http:///",
		"not a link",
		"",
	])("is %j", async (link) => {
		names.answer("b.aliyuncs.com", { addresses: ["127.0.0.1"] });
		await expectNoWay(link, { allowPrivateNetwork: true });
	});

	it.each([
		"http://user@b.aliyuncs.com",
		"http://user:pass@b.aliyuncs.com",
		"http://:pass@b.aliyuncs.com",
		"http://b.aliyuncs.com@127.0.0.1",
		"http://b.aliyuncs.com:80@127.0.0.1",
		"http://b.aliyuncs.com%40127.0.0.1",
		"http://127.0.0.1#@b.aliyuncs.com",
		"http://127.0.0.1?@b.aliyuncs.com",
		"http://127.0.0.1\\@b.aliyuncs.com",
		"http:\\\\127.0.0.1",
		"http:127.0.0.1",
		" http://127.0.0.1",
		"ht\ttp://127.0.0.1",
		"http://b.aliyuncs.com\t@127.0.0.1",
		"http://b.aliyuncs.com%00.127.0.0.1",
	])("is %j", async (start) => {
		names.answer("b.aliyuncs.com", { addresses: ["127.0.0.1"] });
		await expectNoWay(`${start}:${inside.port}/v.mp4`, { allowPrivateNetwork: true });
	});
});

describe("no way to a host that looks like an allowed one", () => {
	it.each([
		"evil-aliyuncs.com",
		"evilaliyuncs.com",
		"aliyuncs.com",
		"aliyuncs.com.",
		"b.aliyuncs.com.",
		"b..aliyuncs.com",
		".aliyuncs.com",
		"aliyuncs.com.evil.io",
		"b.aliyuncs.com.evil.io",
		"b.aliyuncs.com.cn",
		"b.aliyuncs.community",
		"b.aliyuncs.co",
		"b.aliyuncs-com",
		"b_aliyuncs.com",
		"b.аliyuncs.com",
		"b.aliyuncѕ.com",
		"b.alıyuncs.com",
		"b.aliyuncs.сom",
		"b.aliyuncs。com.evil.io",
		"b.aliyuncs\u2024com",
		"xn--b.aliyuncs.com-evil.io",
	])("such as %s: it is not even resolved", async (host) => {
		const { hostname } = URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : { hostname: host };
		names.answer(hostname, { addresses: ["127.0.0.1"] });
		await expectNoWay(`http://${host}:${inside.port}/v.mp4`, { allowPrivateNetwork: true });
		expect(names.queries(hostname)).toEqual({ A: 0, AAAA: 0 });
	});

	it("and a spelling of the allowed one is asked for as what it is", async () => {
		names.answer("b.aliyuncs.com", { addresses: ["10.0.0.1"] });
		await expectNoWay("http://Ｂ.ａｌｉｙｕｎｃｓ。com/v.mp4");
		expect(names.queries("b.aliyuncs.com")).toEqual({ A: 1, AAAA: 1 });
	});
});

describe("no way to another port", () => {
	it.each([22, 25, 6379, 8080, 65535])("%i of a public address", async (port) => {
		names.answer("b.aliyuncs.com", { addresses: ["8.8.8.8"] });
		expect(await expectNoWay(`http://b.aliyuncs.com:${port}/v`)).toContain("port");
		expect(await expectNoWay(`https://b.aliyuncs.com:${port}/v`)).toContain("port");
	});

	it("than those that are allowed, which replace the usual ones", async () => {
		names.answer("b.aliyuncs.com", { addresses: ["8.8.8.8"] });
		const options = { allowPorts: [8080] };
		expect(await expectNoWay("http://b.aliyuncs.com/v", options)).toContain("only 8080");
		expect(await expectNoWay("https://b.aliyuncs.com/v", options)).toContain("only 8080");
		expect(await open("http://b.aliyuncs.com:8080/v", options)).toMatchObject({ reason: "unreachable" });
		expect(connections).toEqual(["8.8.8.8:8080"]);
	});

	it("though a private address, once allowed, is asked on any; which allows no host by itself", async () => {
		const origin = await serve(() => ({ status: 200, body: "video" }));
		names.answer("b.example", { addresses: ["127.0.0.1"] });
		names.answer("mixed.example", { addresses: ["127.0.0.1", "8.8.8.8"] });
		const options = { allowHosts: ["*.example"], allowPrivateNetwork: true, allowPorts: [80] };
		expect(await expectNoWay(`http://mixed.example:${origin.port}/v`, options)).toContain("port");
		expect(await expectNoWay(`http://127.0.0.1:${origin.port}/v`, options)).toContain("--allow-host");
		expect(await open(`http://b.example:${origin.port}/v`, options)).toMatchObject({ _tag: "Opened" });
		expect(connections).toEqual([`127.0.0.1:${origin.port}`]);
	});
});
