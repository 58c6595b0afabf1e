// What each binding does with senders that leave, send too much or use other verbs; its application goes on serving.

import { connect } from "node:net";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { afterEach, describe, expect, it } from "vitest";
import { BINDINGS } from "../test/bindings.js";
import { handlerOptions, recordingReceive, signed } from "../test/harness.js";
import type { RunningBinding, StartBinding } from "../test/running-binding.js";
import type { HttpLimits } from "./limits.js";

const running: RunningBinding[] = [];
afterEach(async () => {
	await Promise.all(running.splice(0).map((binding) => binding.close()));
});

async function given(start: StartBinding, limits: Partial<HttpLimits> = {}) {
	const { receive, reports } = recordingReceive();
	const binding = await start({ ...handlerOptions(receive), limits });
	running.push(binding);
	return { binding, reports };
}

async function expectOwnRoute({ address }: RunningBinding): Promise<void> {
	if (address === undefined) return; // there is no application beside it
	const headers = { "content-type": "application/json" };
	const reply = await fetch(`${address}/own`, { method: "POST", headers, body: '{"a":"游戏"}' });
	expect([reply.ok, await reply.json()]).toEqual([true, { own: { a: "游戏" } }]);
}

/** Sends `bytes`, waits until they have left, and goes away without a word. */
async function sendAndLeave(address: string, bytes: Buffer): Promise<void> {
	const socket = connect(Number(new URL(address).port), "127.0.0.1");
	socket.on("error", () => {});
	await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
	await new Promise<void>((resolve) => socket.once("close", resolve).destroy());
}

function chunked(length: number): Buffer {
	const head = "POST /router/rest?format=json HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n";
	const type = "Content-Type: multipart/form-data; boundary=x\r\n\r\n";
	return Buffer.from(`${head}${type}${length.toString(16)}\r\n${"a".repeat(length)}\r\n0\r\n\r\n`);
}

const ways = Object.entries(BINDINGS).flatMap(([name, starts]) =>
	Object.entries(starts).map(([way, start]) => ({ name, way, start })),
);

describe.each(ways)("$name, $way", ({ start }) => {
	it("survives senders that leave in the middle of a body or before the answer", async () => {
		const { binding, reports } = await given(start);
		const { address } = binding;
		if (address !== undefined) {
			const whole = signed();
			await sendAndLeave(address, whole.subarray(0, -2));
			await sendAndLeave(address, whole);
			const open = chunked(1000);
			await sendAndLeave(address, open.subarray(0, open.length - 500));
		}
		expect(await binding.send(signed())).toContain('"consume_state":1');
		for (const { requestParam } of reports) expect(requestParam).toBe("{}");
		await expectOwnRoute(binding);
	});

	it("refuses a body over its limit, stated or not, and goes on", async () => {
		const { binding, reports } = await given(start, { maxBodyBytes: 500 });
		const form = await binding.send(
			signed({ requestParam: `{"a":"${"b".repeat(1000)}"}`, place: "multipart" }),
		);
		expect(form).toContain("the body is longer than 500 bytes");
		if (binding.address !== undefined) {
			const reply = await sendRaw(binding.address, chunked(1000));
			expect([reply.status, reply.body]).toEqual([200, expect.stringContaining('"code":41')]);
		}
		expect(reports).toEqual([]);
		await expectOwnRoute(binding);
	});

	it.each(["PUT", "DELETE", "OPTIONS"])("answers %s as TOP does, and stores nothing", async (verb) => {
		const { binding, reports } = await given(start);
		const bytes = Buffer.from(signed().toString("latin1").replace("POST", verb), "latin1");
		expect(await binding.send(bytes)).toContain('"code":9');
		expect(reports).toEqual([]);
		await expectOwnRoute(binding);
	});

	it.each(["", "text", "a/b/c", "application/octet-stream; charset=x-none", "*/*"])(
		"answers a body of the type '%s' as TOP does",
		async (contentType) => {
			const { binding, reports } = await given(start);
			const bytes = signed({ headers: { "Content-Type": contentType } });
			expect(await binding.send(bytes)).toContain("error_response");
			expect(reports).toEqual([]);
			await expectOwnRoute(binding);
		},
	);
});
