// That a process can end: an ingress that was stopped leaves no timer, no socket and no listener behind.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import {
	connectRaw,
	data,
	END_STREAM,
	grpcMessage,
	HELLO,
	open,
	PREFACE,
	REPORT_MANY,
	reset,
	SUBSCRIBE,
} from "../test/raw-connection.js";

const GOOD_MESSAGE = grpcMessage(Buffer.from([0x12, 2, 0x7b, 0x7d]));
const GOOD_ITEM_MESSAGE = grpcMessage(Buffer.from([0x0a, 4, 0x12, 2, 0x7b, 0x7d]));

/** Takes no report to its end, and stops when it is told to. */
const PROGRAM = `
	import { createMemoryEventStore } from "@reelkeep/core";
	import { randomIds, systemClock } from "@reelkeep/core/container";
	import { createGrpcIngress } from "@reelkeep/adapter-grpc";
	const store = createMemoryEventStore({ clock: systemClock });
	const ingress = createGrpcIngress({ ids: randomIds, clock: systemClock, store, stopTimeMs: 300 });
	const { address } = await ingress.start(() => new Promise(() => {}));
	console.log(address);
	process.stdin.once("data", async () => {
		await ingress.stop();
		console.log("stopped");
		process.stdin.destroy();
	});
`;

it("lets its process end by itself once it was stopped, whoever was connected", async () => {
	const child = spawn(process.execPath, ["--input-type=module", "--eval", PROGRAM], {
		cwd: new URL("..", import.meta.url),
		stdio: ["pipe", "pipe", "inherit"],
	});
	const exited = once(child, "exit");
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const next = async (): Promise<string> => String((await lines.next()).value);
	const address = await next();
	const attacks = [
		[],
		[PREFACE.subarray(0, 9)],
		[HELLO],
		[HELLO, open(1)],
		[HELLO, open(1), data(1, GOOD_MESSAGE, END_STREAM)],
		[HELLO, open(1, { ":path": REPORT_MANY }), data(1, GOOD_ITEM_MESSAGE)],
		[HELLO, open(1, { ":path": SUBSCRIBE }), data(1, grpcMessage(Buffer.alloc(0)), END_STREAM)],
		[HELLO, ...[1, 3, 5, 7].flatMap((stream) => [open(stream), data(stream, GOOD_MESSAGE), reset(stream)])],
	];
	const connections = await Promise.all(attacks.map(() => connectRaw(address)));
	await Promise.all(connections.map((connection, index) => connection.send(...(attacks[index] ?? []))));
	// Said on a connection of its own, so that the server has heard the others.
	const last = await connectRaw(address);
	await last.send(HELLO, open(1, { ":path": "/nowhere" }));
	await last.until(({ stream }) => stream === 1);
	child.stdin.write("stop\n");
	expect(await next()).toBe("stopped");
	expect(await exited).toEqual([0, null]);
	for (const { socket } of [...connections, last]) socket.destroy();
});
