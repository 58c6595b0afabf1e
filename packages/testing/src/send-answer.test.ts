import { once } from "node:events";
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { sendAnswer } from "./send-answer.js";

test("an answer that drips is over once nobody reads it any more", async () => {
	const bytes = { length: 100, read: (start: number, end: number) => new Uint8Array(end - start) };
	const pace = { chunkBytes: 1, delayMs: 3_600_000 };
	const sent: number[] = [];
	let answered: Promise<void> | undefined;
	const server = createServer((_request, response) => {
		const answer = { status: 200, headers: { "content-length": 100 }, start: 0, end: 100, pace };
		answered = sendAnswer(response, bytes, answer, (length) => sent.push(length));
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	const address = server.address();
	if (typeof address !== "object" || address === null) throw new Error("not listening");
	const stop = new AbortController();
	await fetch(`http://127.0.0.1:${address.port}`, { signal: stop.signal });
	stop.abort();
	await answered;
	expect(sent).toEqual([1]);
	server.close();
});
