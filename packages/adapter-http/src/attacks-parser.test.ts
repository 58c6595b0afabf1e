// Attacks of docs/attacks.md on how a request is read: two parsers, two values, a body that is longer than it says.

import { sendRaw } from "@reelkeep/harness/send-raw";
import { signedBodyRequest, takeApart } from "@reelkeep/harness/signed-body";
import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import { chinaTime, signTop, unsignedRequest } from "@reelkeep/testing";
import { afterEach, describe, expect, it } from "vitest";
import {
	APPS,
	converse,
	handlerOptions,
	ingressStarter,
	NOW_MS,
	recordingReceive,
	signed,
	standingClock,
} from "../test/harness.js";
import { createFetchHandler } from "./fetch-handler.js";
import { createTopHandler } from "./handle.js";
import { createSpiVerifier } from "./spi-verifier.js";

const GOOD = '{"game_id":"good"}';
const EVIL = '{"game_id":"evil"}';
const METHOD = "alibaba.cgame.avatar.video.record.report";

type Pair = readonly [name: string, value: string];

/** Every parameter but `request_param`. */
const PUBLIC: readonly Pair[] = [
	["app_key", TEST_APP_KEY],
	["format", "json"],
	["method", METHOD],
	["sign_method", "md5"],
	["timestamp", chinaTime(NOW_MS)],
	["v", "2.0"],
];
const GOOD_PAIR: Pair = ["request_param", GOOD];
const EVIL_PAIR: Pair = ["request_param", EVIL];

const signOf = (pairs: readonly Pair[]): string => signTop(pairs, TEST_SECRET, "md5");
const encode = (pairs: readonly Pair[]): string =>
	pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");

/** What reaches `receive` of a request, whatever it is. */
async function reach(request: {
	readonly query?: string;
	readonly body?: string | Buffer;
	readonly contentType?: string;
}): Promise<readonly unknown[]> {
	const { query = "", body = "", contentType = "application/x-www-form-urlencoded" } = request;
	const { receive, reports } = recordingReceive();
	const handle = createTopHandler(handlerOptions(receive));
	const headers = new Map([["content-type", contentType]]);
	const reply = await handle({
		method: "POST",
		target: `/router/rest?${query}`,
		headers,
		body: Buffer.from(body),
	});
	transcribe("http", JSON.stringify(reply));
	return reports.map(({ requestParam }) => requestParam);
}

/** Parts as they stand between two boundaries; a pair is a text part. */
function multipart(parts: readonly (Pair | string)[], before = "", behind = "") {
	const texts = parts.map((part) =>
		typeof part === "string" ? part : `Content-Disposition: form-data; name="${part[0]}"\r\n\r\n${part[1]}`,
	);
	const body = texts.map((text) => `--b\r\n${text}\r\n`).join("");
	return { body: `${before}${body}--b--\r\n${behind}`, contentType: "multipart/form-data; boundary=b" };
}

const file = (name: string, content: string): string =>
	`Content-Disposition: form-data; name="${name}"; filename="f"\r\nContent-Type: text/plain\r\n\r\n${content}`;

/** Whichever of two values a sign covers. */
const eachSign = [GOOD_PAIR, EVIL_PAIR].map((pair): Pair => ["sign", signOf([...PUBLIC, pair])]);

describe("a second reading of one request", () => {
	it("in an attack with two values of request_param is refused, whichever of them is signed", async () => {
		for (const sign of eachSign) {
			const twice = encode([GOOD_PAIR, EVIL_PAIR]);
			const shared = encode([...PUBLIC, sign]);
			const both = [...PUBLIC, sign, GOOD_PAIR, EVIL_PAIR];
			for (const request of [
				{ query: shared, body: twice },
				{ query: `${shared}&${twice}` },
				{ query: `${shared}&${encode([GOOD_PAIR])}`, body: encode([EVIL_PAIR]) },
				{ query: `${shared}&${encode([EVIL_PAIR])}`, body: encode([GOOD_PAIR]) },
				{ query: `${shared}&request%5Fparam=${encodeURIComponent(EVIL)}`, body: encode([GOOD_PAIR]) },
				multipart(both),
				{ query: encode([GOOD_PAIR]), ...multipart([...PUBLIC, sign, EVIL_PAIR]) },
				{ query: encode([EVIL_PAIR]), ...multipart([...PUBLIC, sign, GOOD_PAIR]) },
			]) {
				expect(await reach(request), JSON.stringify(request)).toEqual([]);
			}
		}
	});

	it("in an attack with text that another parser reads hands on what was signed, and only that", async () => {
		const sign: Pair = ["sign", signOf([...PUBLIC, GOOD_PAIR])];
		const all = [...PUBLIC, sign, GOOD_PAIR];
		const hidden = `&${encode([EVIL_PAIR])}&`;
		for (const request of [
			multipart([...all, file("request_param", EVIL)]),
			multipart([file("request_param", EVIL), ...all]),
			multipart(all, `${hidden}\r\n`),
			multipart(all, "", hidden),
			multipart(all, `--b\r\nContent-Disposition: form-data\r\n\r\n${hidden}\r\n`.replace("--b", "-b")),
			{ query: encode([...PUBLIC, sign]), ...multipart([GOOD_PAIR, file("x", hidden)]) },
			{ query: `${encode(all)}&&`, body: "&&" },
		]) {
			expect(await reach(request), JSON.stringify(request)).toEqual([GOOD]);
		}
	});

	it("in an attack with k=v=w, bare names or another body is refused, however it was signed", async () => {
		const raw = `request_param=${encodeURIComponent(GOOD)}=${encodeURIComponent(EVIL)}`;
		const asRead: readonly Pair[] = [GOOD_PAIR, EVIL_PAIR, ["request_param", `${GOOD}=${EVIL}`]];
		const signs = [...asRead.map((pair) => [...PUBLIC, pair]), PUBLIC].map((pairs) => signOf(pairs));
		for (const sign of signs) {
			const shared = encode([...PUBLIC, ["sign", sign]]);
			for (const request of [
				{ query: `${shared}&${raw}` },
				{ query: shared, body: raw },
				{ query: `${shared}&request_param`, body: encode([GOOD_PAIR]) },
				{ query: shared, body: `request_param;${encode([EVIL_PAIR])}` },
				{ query: shared, body: `{"request_param":${EVIL}}`, contentType: "application/json" },
				{ query: shared, body: encode([EVIL_PAIR]), contentType: "text/plain" },
				{ query: shared, ...multipart([file("request_param", EVIL)]) },
			]) {
				expect(await reach(request), JSON.stringify(request)).toEqual([]);
			}
		}
	});

	it("in an attack with names that only look like one never takes their value for it", async () => {
		const names = [
			"request_param[]",
			"request_param[0]",
			"request_param\0",
			" request_param",
			"request_param;",
		];
		const more = ["Request_Param", "request-param", "__proto__", "constructor", "toString", "hasOwnProperty"];
		let reached = 0;
		for (const name of [...names, ...more, "sign[]", "__proto__[request_param]", "x.request_param"]) {
			for (const pairs of [
				[...PUBLIC, GOOD_PAIR, [name, EVIL] as const],
				[...PUBLIC, [name, EVIL] as const],
			]) {
				const whole = encode([...pairs, ["sign", signOf(pairs)]]);
				const seen = [...(await reach({ query: whole })), ...(await reach({ body: whole }))];
				expect(seen.filter((one) => one !== GOOD)).toEqual([]);
				reached += seen.length;
			}
		}
		expect(reached, "names of other parameters are no reason to lose a callback").toBeGreaterThan(8);
		for (const appKey of ["__proto__", "constructor", "toString"]) {
			const pairs = [
				...PUBLIC.filter(([name]) => name !== "app_key"),
				["app_key", appKey] as const,
				GOOD_PAIR,
			];
			expect(await reach({ query: encode([...pairs, ["sign", signOf(pairs)]]) })).toEqual([]);
		}
	});
});

describe("a request over a socket", () => {
	const { start, stop } = ingressStarter();
	afterEach(stop);

	it("in an attack with a repeated parameter or header is refused, whichever of the two is signed", async () => {
		const gateway = recordingReceive();
		const { address } = await start({}, gateway);
		const right = signOf([...PUBLIC, GOOD_PAIR]);
		for (const name of ["sign", "app_key", "timestamp", "method", "sign_method"]) {
			const known = new Map([...PUBLIC, ["sign", right]]).get(name) ?? "";
			for (const value of [known, "0".repeat(32)]) {
				for (const place of ["form", "query", "body", "multipart"] as const) {
					const own = [...PUBLIC, ["sign", right] as const, GOOD_PAIR];
					for (const pairs of [
						[...own, [name, value] as const],
						[[name, value] as const, ...own],
					]) {
						const { body } = await sendRaw(address, unsignedRequest(pairs, { place }));
						expect(body).toContain("error_response");
					}
				}
			}
		}
		expect(gateway.reports).toEqual([]);

		const spi = recordingReceive();
		const verifier = createSpiVerifier({ apps: APPS, clock: standingClock() });
		const direct = await start({ direction: "spi", verifier }, spi);
		const signedOnce = signedBodyRequest({
			path: "/spi",
			secret: TEST_SECRET,
			appKey: TEST_APP_KEY,
			now: NOW_MS,
			body: '{"request_param":{}}',
			parameters: { method: METHOD },
			signedHeaders: { "x-top-trace": "t1" },
			headers: { "Content-Type": "application/json" },
		}).toString("latin1");
		for (const extra of ["x-top-trace: t2", "x-top-trace: t1", "top-sign-list: x-top-trace"]) {
			for (const line of ["Host: 127.0.0.1", "x-top-trace: t1"]) {
				const twice = signedOnce.replace(line, `${line}\r\n${extra}`);
				expect((await sendRaw(direct.address, Buffer.from(twice, "latin1"))).body).toContain("failure");
			}
		}
		expect(spi.reports).toEqual([]);
		expect((await sendRaw(direct.address, Buffer.from(signedOnce, "latin1"))).body).toContain("SUCCESS");
	});

	it("in an attack on the body limit never gets past it, whatever it says of its length", async () => {
		const { receive, reports } = recordingReceive();
		const maxBodyBytes = 1000;
		const { address } = await start({ limits: { maxBodyBytes, drainTimeMs: 50 } }, { receive, reports });
		const bytes = signed({ requestParam: JSON.stringify({ game_id: "x".repeat(2 * maxBodyBytes) }) });
		const { target, body } = takeApart(bytes);
		const text = body.toString("latin1");
		const head = (...lines: readonly string[]): string =>
			[
				`POST ${target} HTTP/1.1`,
				"Host: x",
				"Content-Type: application/x-www-form-urlencoded",
				...lines,
			].join("\r\n");
		const oneChunk = `${body.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
		const manyChunks = `${[...text].map((byte) => `1;${"e".repeat(20)}\r\n${byte}\r\n`).join("")}0\r\n\r\n`;
		const attacks = [
			`${head(`Content-Length: ${body.length}`)}\r\n\r\n${text}`,
			`${head("Content-Length: 10")}\r\n\r\n${text}`,
			`${head(`Content-Length: ${maxBodyBytes}`)}\r\n\r\n${text}`,
			`${head("Content-Length: 0")}\r\n\r\n${text}`,
			`${head("Content-Length: -1")}\r\n\r\n${text}`,
			`${head("Content-Length: 1e9")}\r\n\r\n${text}`,
			`${head("Content-Length: 99999999999999999999")}\r\n\r\n${text}`,
			`${head("Content-Length: 10", `Content-Length: ${body.length}`)}\r\n\r\n${text}`,
			`${head("Content-Length: 10", "Transfer-Encoding: chunked")}\r\n\r\n${oneChunk}`,
			`${head("Transfer-Encoding: chunked")}\r\n\r\n${oneChunk}`,
			`${head("Transfer-Encoding: chunked")}\r\n\r\n${manyChunks}`,
			`${head("Transfer-Encoding: identity")}\r\n\r\n${text}`,
			`${head()}\r\n\r\n${text}`,
		];
		for (const attack of attacks) {
			const { socket, ended } = await converse(address, Buffer.from(attack, "latin1"));
			socket.end();
			const said = await ended;
			expect(said, attack.slice(0, 400)).toMatch(/error_response/);
			expect(said).not.toContain("SUCCESS");
		}
		// Nobody waits for the end of what is too long already.
		for (const attack of [
			`${head("Transfer-Encoding: chunked")}\r\n\r\n${oneChunk.slice(0, -5)}`,
			`${head(`Content-Length: ${body.length}`)}\r\n\r\n`,
		]) {
			const { socket, said } = await converse(address, Buffer.from(attack, "latin1"));
			await expect.poll(said).toContain("is longer than");
			socket.destroy();
		}
		expect(reports).toEqual([]);

		const overFetch = createFetchHandler({ ...handlerOptions(receive), limits: { maxBodyBytes } });
		for (const length of ["10", String(body.length), "x"]) {
			const headers = { "content-type": "application/x-www-form-urlencoded", "content-length": length };
			const reply = await overFetch(
				new Request(`http://127.0.0.1${target}`, { method: "POST", body: new Uint8Array(body), headers }),
			);
			expect(await reply.text()).toContain("error_response");
		}
		expect(reports).toEqual([]);
	});
});
