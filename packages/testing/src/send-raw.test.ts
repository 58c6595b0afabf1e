import { once } from "node:events";
import { createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { sendRaw } from "./send-raw.js";

const closing: (() => void)[] = [];
afterEach(() => {
	for (const close of closing.splice(0)) close();
});

/** A server that answers with `pieces`, one after the other; then it ends the connection, or not. */
async function answering(pieces: readonly (string | Uint8Array)[], ending: "end" | "silence" = "silence") {
	const server = createServer((socket) => {
		socket.on("error", () => undefined);
		socket.once("data", async () => {
			for (const piece of pieces) {
				socket.write(piece);
				await new Promise((resolve) => setTimeout(resolve, 5));
			}
			if (ending === "end") socket.end();
		});
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	closing.push(() => server.close());
	const address = server.address();
	if (typeof address !== "object" || address === null) throw new Error("not listening");
	return sendRaw(`http://127.0.0.1:${address.port}`, Buffer.from("GET / HTTP/1.1\r\n\r\n"));
}
const OK = "HTTP/1.1 200 OK\r\n";

test("a reply is whole by its length, however it comes", async () => {
	const reply = await answering([`${OK}Content-Length: 6\r\n`, "\r\n", "轨", "迹"]);
	expect([reply.status, reply.body, reply.raw.toString()]).toEqual([
		200,
		"轨迹",
		`${OK}Content-Length: 6\r\n\r\n轨迹`,
	]);
});

test("by its chunks", async () => {
	const chunked = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
	expect(
		(await answering([chunked, "3\r\nabc\r", "\n", "A;x=y\r\n0123456789", "\r\n0\r\n", "\r\n"])).body,
	).toBe("abc0123456789");
	const packed = gzipSync("轨迹");
	const head = `${OK}transfer-encoding: Chunked\r\ncontent-encoding: gzip\r\n\r\n${packed.length.toString(16)}\r\n`;
	expect((await answering([head, packed, "\r\n0\r\n\r\n"])).body).toBe("轨迹");
});

test("by the end of the connection", async () => {
	expect((await answering([`${OK}\r\nabc`, "def"], "end")).body).toBe("abcdef");
	expect((await answering(["HTTP/1.1 204 No Content\r\n\r\n"])).status).toBe(204);
});

test("one that is not whole rejects", async () => {
	const cut = /ended without a whole reply/;
	await expect(answering([`${OK}Content-Length: 6\r\n\r\nabc`], "end")).rejects.toThrow(cut);
	await expect(answering([`${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`], "end")).rejects.toThrow(
		cut,
	);
	await expect(answering([""], "end")).rejects.toThrow(cut);
});

test("one that is not packed as it says rejects", async () => {
	const packed = /not packed as it says/;
	const head = `${OK}Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n`;
	await expect(answering([head, "hello"])).rejects.toThrow(packed);
	await expect(answering([`${OK}Content-Encoding: gzip\r\n\r\nhello`], "end")).rejects.toThrow(packed);
});

test("what comes before a reply is none", async () => {
	const before = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
	const reply = await answering([before, `${OK}Content-Length: 2\r\n\r\nok`]);
	expect([reply.status, reply.body]).toEqual([200, "ok"]);
	expect(reply.raw.toString()).toBe(`${before}${OK}Content-Length: 2\r\n\r\nok`);
	expect((await answering(["HTTP/1.1 101 Switching Protocols\r\n\r\n"])).status).toBe(101);
	await expect(answering([before], "end")).rejects.toThrow(/without a whole reply/);
});
