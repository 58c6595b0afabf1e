import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_HTTP_LIMITS } from "./limits.js";
import { type ParameterSource, type ParametersResult, readParameters } from "./parameters.js";

const FORM = "application/x-www-form-urlencoded;charset=UTF-8";
const MULTIPART = "multipart/form-data; boundary=b0";

const read = (source: Partial<Omit<ParameterSource, "body">> & { body?: string | Uint8Array }) =>
	readParameters(
		{ query: "", contentType: FORM, ...source, body: Buffer.from(source.body ?? "") },
		DEFAULT_HTTP_LIMITS,
	);

const messageOf = (result: ParametersResult): string =>
	result._tag === "Malformed" ? result.message : `read ${JSON.stringify([...result.parameters])}`;

const part = (disposition: string, value: string | Buffer, ...headers: string[]): Buffer =>
	Buffer.concat([
		Buffer.from(["--b0", `Content-Disposition: form-data; ${disposition}`, ...headers, "", ""].join("\r\n")),
		Buffer.from(value),
		Buffer.from("\r\n"),
	]);
const multipart = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, Buffer.from("--b0--\r\n")]);

describe("a query or form", () => {
	it.each([
		["a=1&a=1", "a parameter stands twice"],
		["a=1&%61=1", "a parameter stands twice"],
		["a=b=c", "a parameter holds an = sign that is not percent-encoded"],
		["a", "a parameter has no = sign"],
		["=1", "a parameter has no name"],
		["a=%", "a parameter is not percent-encoded UTF-8"],
		["a=%zz", "a parameter is not percent-encoded UTF-8"],
		["a=%ff", "a parameter is not percent-encoded UTF-8"],
		["a=%c0%af", "a parameter is not percent-encoded UTF-8"],
		["a=%ed%a0%80", "a parameter is not percent-encoded UTF-8"],
		[`${"n".repeat(65)}=1`, "a parameter's name is too long"],
		[Array.from({ length: 65 }, (_, n) => `a${n}=`).join("&"), "more than 64 parameters"],
	])("refuses %j wherever it stands", async (text, message) => {
		expect(messageOf(await read({ query: text }))).toBe(message);
		expect(messageOf(await read({ body: text }))).toBe(message);
	});

	it("refuses a name that stands in the query and in the body", async () => {
		expect(messageOf(await read({ query: "a=1", body: "a=1" }))).toBe("a parameter stands twice");
		const body = multipart(part('name="a"', "1"));
		expect(messageOf(await read({ query: "a=1", contentType: MULTIPART, body }))).toBe(
			"a parameter stands twice",
		);
	});

	it("refuses raw bytes that are not UTF-8, in the body, and all that are not ASCII, in the query", async () => {
		expect(messageOf(await read({ body: Buffer.from([0x61, 0x3d, 0xff]) }))).toMatch(/not valid UTF-8/);
		expect(messageOf(await read({ query: "a=\u00ff" }))).toMatch(/not percent-encoded/);
		expect(messageOf(await read({ query: "a=b c" }))).toMatch(/not percent-encoded/);
	});

	it("refuses a query over its limit", async () => {
		const query = `a=${"x".repeat(DEFAULT_HTTP_LIMITS.maxQueryBytes)}`;
		expect(messageOf(await read({ query }))).toBe("the query is longer than 16384 bytes");
	});

	it.each([
		undefined,
		"text/plain",
		"application/json",
		"application/x-www-form-urlencodedx",
		"multipart/form-data",
	])("refuses a body of content type %s", async (contentType) => {
		expect(messageOf(await read({ contentType, body: "a=1" }))).toMatch(/a body must be/);
	});

	it("keeps what was read before the fault, for the reply's format", async () => {
		const result = await read({ query: "format=json", body: "a=%ff" });
		expect(result).toMatchObject({ _tag: "Malformed", parameters: new Map([["format", "json"]]) });
	});

	it("decodes once, takes + as a space and skips empty pairs", async () => {
		const result = await read({ query: "&a=%253D+%2B&", body: "b=&c=%E6%B8%B8\u{1f3ae}&" });
		expect(messageOf(result)).toBe(
			`read ${JSON.stringify([
				["a", "%3D +"],
				["b", ""],
				["c", "游🎮"],
			])}`,
		);
	});

	it("keeps a byte order mark, which was signed", async () => {
		const result = await read({ body: Buffer.from("\ufeffa=\ufeff") });
		expect([...result.parameters]).toEqual([["\ufeffa", "\ufeff"]]);
	});

	it("accepts no body, whatever the content type says", async () => {
		expect(await read({ contentType: undefined, query: "a=1" })).toMatchObject({ _tag: "Parameters" });
		expect(await read({ contentType: MULTIPART, query: "a=1" })).toMatchObject({ _tag: "Parameters" });
	});
});

describe("a multipart body of nothing but boundaries", () => {
	it("costs no more when there are a hundred times as many", async () => {
		const timeOf = async (count: number): Promise<number> => {
			const body = Buffer.from("--b0\r\n".repeat(count));
			const startedAt = performance.now();
			const read = await readParameters({ query: "", contentType: MULTIPART, body }, DEFAULT_HTTP_LIMITS);
			expect(read._tag).toBe("Malformed");
			return performance.now() - startedAt;
		};
		const [few, many]: [number[], number[]] = [[], []];
		for (let round = 0; round < 11; round++) {
			few.push(await timeOf(370));
			many.push(await timeOf(37_000));
		}
		const median = (times: number[]): number => times.sort((a, b) => a - b)[5] ?? 0;
		expect(median(many) / median(few)).toBeLessThan(20);
	});
});

describe("a multipart body", () => {
	const readParts = (body: Uint8Array, contentType = MULTIPART) => read({ contentType, body });

	it.each([
		["bytes that are not UTF-8", multipart(part('name="a"', Buffer.from([0xff])))],
		[
			"such bytes under a charset that would accept them",
			multipart(part('name="a"', Buffer.from([0xff]), "Content-Type: text/plain; charset=latin1")),
		],
		["a name that stands twice", multipart(part('name="a"', "1"), part('name="a"', "2"))],
		["a part without a name", multipart(part("x=y", "1"))],
		["a name that is too long", multipart(part(`name="${"n".repeat(65)}"`, "1"))],
		["too many parts", multipart(...Array.from({ length: 65 }, (_, n) => part(`name="a${n}"`, "")))],
		[
			"too many files",
			multipart(...Array.from({ length: 65 }, (_, n) => part(`name="a${n}"; filename="f"`, ""))),
		],
		["no end", part('name="a"', "1")],
		["half a part", part('name="a"', "1").subarray(0, 20)],
		["another boundary", Buffer.from("--b1\r\n\r\n--b1--")],
		["no part at all", Buffer.from("x")],
	])("is refused with %s", async (_what, body) => {
		expect(await readParts(body)).toMatchObject({ _tag: "Malformed" });
	});

	it("is refused without a boundary", async () => {
		const result = await readParts(multipart(part('name="a"', "1")), "multipart/form-data; charset=utf-8");
		expect(messageOf(result)).toBe("the multipart body has no boundary");
	});

	it("yields text parts byte for byte, whatever type they claim, and leaves files out", async () => {
		const body = multipart(
			part('name="a"', "\ufeff%3D+游戏🎮\r\n--b", "Content-Type: text/plain; charset=latin1"),
			part('name="f"; filename="v.mp4"', Buffer.from([0xff, 0xfe])),
			part('name="g"; filename=""', "left out"),
			part('name="b"', ""),
			part('name="c"', "bytes", "Content-Type: application/octet-stream"),
		);
		expect([...(await readParts(body)).parameters]).toEqual([
			["a", "\ufeff%3D+游戏🎮\r\n--b"],
			["b", ""],
			["c", "bytes"],
		]);
	});

	it("needs no line end behind its last boundary, as Node's official SDK sends none", async () => {
		const body = multipart(part('name="a"', "1"));
		expect([...(await readParts(body.subarray(0, -2))).parameters]).toEqual([["a", "1"]]);
	});

	it("yields any text as it was", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 10 }),
				async (values) => {
					const texts = values
						.map((value) => Buffer.from(value).toString())
						.filter((value) => !value.includes("--b0"));
					fc.pre(texts.length > 0);
					const body = multipart(...texts.map((text, n) => part(`name="p${n}"`, text)));
					expect([...(await readParts(body)).parameters.values()]).toEqual(texts);
				},
			),
			{ numRuns: 200 },
		);
	});

	it("always comes to an end, whatever garbage it is", async () => {
		const piece = fc.oneof(
			fc.constantFrom(
				"--b0",
				"--b0--",
				"\r\n",
				"-",
				"\r",
				"Content-Disposition: form-data",
				'; name="a"',
				": ",
			),
			fc.constantFrom('; filename="f"', "; filename*=utf-8''%ff", "\r\n\r\n", "Content-Type: x", "\u0000"),
			fc.string({ maxLength: 5 }),
		);
		const startedAt = performance.now();
		await fc.assert(
			fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
				const result = await readParts(Buffer.from(pieces.join("")));
				expect(["Parameters", "Malformed"]).toContain(result._tag);
			}),
			{ numRuns: 1000 },
		);
		expect(performance.now() - startedAt).toBeLessThan(20_000);
	}, 30_000);
});

describe("any query or form", () => {
	it("is read as it was encoded", async () => {
		const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
		await fc.assert(
			fc.asyncProperty(
				fc.uniqueArray(fc.tuple(text, text), { selector: ([n]) => n, maxLength: 8 }),
				async (pairs) => {
					const encoded = pairs
						.map(([n, v]) => `${encodeURIComponent(n)}=${encodeURIComponent(v)}`)
						.join("&");
					const isShort = pairs.every(([n]) => n.length <= DEFAULT_HTTP_LIMITS.maxNameCharacters);
					fc.pre(isShort);
					expect([...(await read({ query: encoded })).parameters]).toEqual(pairs);
					expect([...(await read({ body: encoded.replaceAll("%20", "+") })).parameters]).toEqual(pairs);
				},
			),
		);
	});
});
