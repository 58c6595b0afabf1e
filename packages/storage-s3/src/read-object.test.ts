import { afterEach, expect, test } from "vitest";
import { readObject } from "./read-object.js";
import { type Answer, startAnswers } from "./test-answers.js";
import { bytesOf } from "./test-s3.js";

const VIDEO = "0123456789";
let server: Awaited<ReturnType<typeof startAnswers>>;
afterEach(() => server.stop());

const whole: Answer = (answer) => answer.writeHead(200, { etag: '"a"' }).end(VIDEO);
/** From the place that was asked for. */
const range: Answer = (answer, { headers }) => {
	const from = Number(/\d+/.exec(headers.range ?? "")?.[0]);
	answer.writeHead(206, { etag: '"a"', "content-range": `bytes ${from}-9/10` }).end(VIDEO.slice(from));
};
/** Breaks off behind the first `count` bytes of what it promised. */
const cutBehind =
	(count: number): Answer =>
	(answer) => {
		answer.writeHead(200, { etag: '"a"', "content-length": VIDEO.length });
		answer.flushHeaders();
		answer.write(VIDEO.slice(0, count), () => setTimeout(() => answer.destroy(), 20));
	};
const refuse =
	(status: number): Answer =>
	(answer) =>
		answer.writeHead(status).end();

test("a range that the server ignores is cut out of the whole", async () => {
	server = await startAnswers(whole);
	expect(String(await bytesOf(readObject(server.options, "v", 4)))).toBe("456789");
	expect(String(await bytesOf(readObject(server.options, "v", 10)))).toBe("");
	expect(String(await bytesOf(readObject(server.options, "v", 11)))).toBe("");
});

test("a reading goes on where it was cut, in the same object", async () => {
	server = await startAnswers(cutBehind(3), range);
	expect(String(await bytesOf(readObject(server.options, "v")))).toBe(VIDEO);
	expect(server.seen.map(({ headers }) => [headers.range, headers["if-match"]])).toEqual([
		[undefined, undefined],
		["bytes=3-", '"a"'],
	]);
});

test("a reading that was cut ends with a fault when the object is another one by then", async () => {
	server = await startAnswers(cutBehind(3), refuse(412));
	await expect(bytesOf(readObject(server.options, "v"))).rejects.toMatchObject({
		_tag: "StoreFault",
		message: expect.stringContaining("was replaced"),
	});
});

test("a reading is given up that is cut again and again without a byte", async () => {
	server = await startAnswers(cutBehind(3), (answer) => {
		answer.writeHead(206, { etag: '"a"', "content-range": "bytes 3-9/10", "content-length": 7 });
		answer.flushHeaders();
		setTimeout(() => answer.destroy(), 20);
	});
	await expect(bytesOf(readObject(server.options, "v"))).rejects.toMatchObject({
		_tag: "StoreFault",
		retryable: true,
	});
	expect(server.seen.length).toBe(3);
});

test("who stops reading lets go of the connection", async () => {
	let isClosed = false;
	server = await startAnswers((answer) => {
		answer.on("close", () => {
			isClosed = true;
		});
		answer.writeHead(200, { etag: '"a"', "content-length": 1_000_000 }).write(VIDEO);
	});
	for await (const chunk of readObject(server.options, "v")) {
		expect(chunk.length).toBe(10);
		break;
	}
	await expect.poll(() => isClosed).toBe(true);
});
