import { spawn } from "node:child_process";
import { mkdir, readdir, stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { MAX_READERS } from "./owner-server.js";
import { createSocketOwnership } from "./socket-ownership.js";
import { temporaryDirectory } from "./test-disk.js";
import { rejection } from "./test-store.js";

const STARTED_AT = Date.UTC(2026, 0, 2);
const ownership = createSocketOwnership();

async function own(directory: string) {
	const owned = await ownership.acquire(directory, STARTED_AT);
	onTestFinished(() => owned.release());
	return owned;
}

async function sockets(directory: string): Promise<readonly string[]> {
	return (await readdir(directory)).filter((name) => name.endsWith(".sock")).sort();
}

/** A socket file whose process is gone, as `kill -9` leaves it. */
async function leaveStaleSocket(path: string): Promise<void> {
	const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
	await new Promise((resolve) => spawn(process.execPath, ["-e", script]).on("exit", resolve));
}

function dial(path: string): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = connect(path, () => resolve(socket));
		socket.on("error", reject);
		onTestFinished(() => void socket.destroy());
	});
}

test("a directory that is owned is refused, naming its owner, until that releases it", async () => {
	const directory = await temporaryDirectory();
	const owned = await own(directory);
	const fault = await rejection(ownership.acquire(directory, STARTED_AT));
	expect(fault).toMatchObject({ reason: "owned", retryable: false });
	const { message } = fault as Error;
	expect(message).toContain(directory);
	expect(message).toContain(
		`process ${process.pid} on host ${hostname()}, running since 2026-01-02T00:00:00.000Z`,
	);
	await Promise.all([owned.release(), owned.release()]);
	expect(await sockets(directory)).toEqual([]);
	await own(directory);
});

test("an owner that does not speak is an owner all the same", async () => {
	const directory = await temporaryDirectory();
	const path = join(directory, "owner.3.sock");
	const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
	const child = spawn(process.execPath, ["-e", script]);
	onTestFinished(() => void child.kill("SIGKILL"));
	await new Promise((resolve) => child.stdout.once("data", resolve));
	const fault = await rejection(ownership.acquire(directory, STARTED_AT));
	expect(fault).toMatchObject({ reason: "owned", message: expect.stringContaining("did not say who it is") });
});

test("a live owner is found behind a dead socket of a higher generation, and the contender leaves no trace", async () => {
	const directory = await temporaryDirectory();
	await own(directory);
	await leaveStaleSocket(join(directory, "owner.9.sock"));
	const fault = await rejection(ownership.acquire(directory, STARTED_AT));
	expect(fault).toMatchObject({
		reason: "owned",
		message: expect.stringContaining(`process ${process.pid}`),
	});
	expect(await sockets(directory)).toEqual(["owner.1.sock", "owner.9.sock"]);
});

test("sockets of dead owners are taken over and removed", async () => {
	const directory = await temporaryDirectory();
	for (const generation of [2, 7]) await leaveStaleSocket(join(directory, `owner.${generation}.sock`));
	expect(await sockets(directory)).toEqual(["owner.2.sock", "owner.7.sock"]);
	expect(await ownership.connect(directory)).toBeUndefined();
	await own(directory);
	expect(await sockets(directory)).toEqual(["owner.8.sock"]);
	expect((await stat(join(directory, "owner.8.sock"))).mode & 0o777).toBe(0o600);
});

test("of many that start at once over a dead owner exactly one wins, round after round", async () => {
	const directory = await temporaryDirectory();
	for (let round = 1; round <= 3; round += 1) {
		await leaveStaleSocket(join(directory, `owner.${round * 100}.sock`));
		const results = await Promise.allSettled(
			Array.from({ length: 12 }, () => createSocketOwnership().acquire(directory, STARTED_AT)),
		);
		const won = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
		const lost = results.flatMap((result) => (result.status === "rejected" ? [result.reason.reason] : []));
		expect(won.length).toBe(1);
		expect(lost).toEqual(Array.from({ length: 11 }, () => "owned"));
		await won[0]?.release();
		expect(await sockets(directory)).toEqual([]);
	}
});

test("a directory whose path is too long for a socket is owned and reached all the same", async () => {
	const directory = join(await temporaryDirectory(), "d".repeat(100), "e".repeat(100));
	await mkdir(directory, { recursive: true });
	const owned = await own(directory);
	expect(await sockets(directory)).toEqual(["owner.1.sock"]);
	expect(await rejection(ownership.acquire(directory, STARTED_AT))).toMatchObject({ reason: "owned" });
	owned.publish({ segment: 1, bytes: 5, position: 0 });
	const connection = await ownership.connect(directory);
	expect(await connection?.durable()).toEqual({ segment: 1, bytes: 5, position: 0 });
	connection?.close();
	await owned.release();
	expect(await sockets(directory)).toEqual([]);
});

test("a reader waits for the first watermark, is pushed later ones, and learns that the owner went", async () => {
	const directory = await temporaryDirectory();
	const owned = await own(directory);
	const connecting = ownership.connect(directory);
	await new Promise((resolve) => setTimeout(resolve, 20));
	owned.publish({ segment: 1, bytes: 10, position: 1 });
	const connection = await connecting;
	expect(connection?.owner).toEqual({ pid: process.pid, host: hostname(), startedAt: STARTED_AT });
	let changes = 0;
	const changed = new Promise<void>((resolve) => {
		connection?.onChange(() => {
			changes += 1;
			resolve();
		});
	});
	expect(await connection?.durable()).toMatchObject({ bytes: 10 });
	expect(changes).toBe(0);
	owned.publish({ segment: 1, bytes: 20, position: 2 });
	await changed;
	expect(await connection?.durable()).toMatchObject({ bytes: 20, position: 2 });
	await owned.release();
	while (connection?.isOpen()) await new Promise(setImmediate);
	expect(await connection?.durable()).toBeUndefined();
	expect(await ownership.connect(directory)).toBeUndefined();
});

test("readers that say too much, read nothing, or are too many harm nobody", async () => {
	const directory = await temporaryDirectory();
	const owned = await own(directory);
	const path = join(directory, "owner.1.sock");
	owned.publish({ segment: 1, bytes: 0, position: 0 });
	const deaf = await dial(path);
	deaf.pause();
	const talker = await dial(path);
	talker.resume();
	talker.write("x".repeat(1_000_000));
	for (let position = 1; position <= 20_000; position += 1)
		owned.publish({ segment: 1, bytes: position, position });
	const connection = await ownership.connect(directory);
	expect(await connection?.durable()).toMatchObject({ position: 20_000 });
	connection?.close();
	let heard = "";
	deaf.setEncoding("utf8").on("data", (text: string) => {
		heard += text;
	});
	deaf.resume();
	while (!heard.includes('"position":20000')) await new Promise(setImmediate);
	// What the kernel took until it was full; the rest was never queued.
	expect(heard.split("\n").length).toBeLessThan(5000);
	const others = await Promise.all(Array.from({ length: MAX_READERS + 20 }, () => dial(path)));
	await new Promise((resolve) => setTimeout(resolve, 20));
	expect(await rejection(ownership.connect(directory))).toMatchObject({ reason: "io", retryable: true });
	expect(await rejection(ownership.acquire(directory, STARTED_AT))).toMatchObject({ reason: "owned" });
	for (const socket of others) socket.destroy();
	await owned.release();
});
