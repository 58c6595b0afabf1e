// One writer, told across containers that share a volume. Neither a pid nor a host name means anything from one to the
// next, and each of them sees the volume at another path. Real processes, running what `tsc -b` built.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { type Container, startContainer, whyNoContainers } from "@reelkeep/harness/containers";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "./test-disk.js";

const BUILT = new URL("../dist/index.js", import.meta.url).href;
const NAMESPACES = ["pid", "mnt", "uts", "ipc", "net"];

const COMMON = `
	import { readFileSync, readlinkSync } from "node:fs";
	import { createInterface } from "node:readline";
	import * as storage from ${JSON.stringify(BUILT)};
	const directory = process.argv[1];
	const say = (...words) => console.log(words.join(" "));
	const commands = createInterface({ input: process.stdin });
	const namespaces = () => ${JSON.stringify(NAMESPACES)}.map((name) => readlinkSync("/proc/self/ns/" + name));
	const list = async (events) => {
		const ids = [];
		for await (const { id } of events) ids.push(id);
		return ids.join(",");
	};
`;

// Owns the volume, or says why not. After \`hold\` nothing that is written becomes durable, until \`release\`.
const OWNER = `${COMMON}
	let released = Promise.resolve();
	let release = () => {};
	const disk = storage.createNodeFileSystem();
	const open = async (...parameters) => {
		const file = await disk.open(...parameters);
		return { ...file, datasync: () => released.then(() => file.datasync()) };
	};
	const clock = { now: () => Date.now() };
	const store = storage.createFsEventStore({ directory, clock, fileSystem: { ...disk, open } });
	try {
		await store.open();
		say("open", process.pid);
	} catch (error) {
		say(error.reason, process.pid, error.message);
	}
	const append = async (id) => {
		const event = { id, type: "Noted", schemaVersion: 1, data: {}, metadata: {} };
		say((await store.append("s-" + id, [event], "no-stream"))._tag, id);
	};
	commands.on("line", async (line) => {
		const [command, id] = line.split(" ");
		if (command === "append") void append(id);
		if (command === "hold") released = new Promise((resolve) => (release = resolve));
		if (command === "release") release();
		if (command === "read") say(await list(store.readAll()));
		if (command === "namespaces") say(...namespaces());
		if (command === "init") say(readFileSync("/proc/1/comm", "utf8").trim());
	});
`;

const READER = `${COMMON}
	const reader = await storage.openFsEventReader({ directory });
	say("reads");
	commands.on("line", async (line) => {
		if (line === "read") say(await list(reader.readAll()));
		if (line === "namespaces") say(...namespaces());
	});
`;

const obstacle = whyNoContainers();
/** What CI could install is no reason to skip there. */
const isSkipped = obstacle !== undefined && !(process.env.CI !== undefined && obstacle.isMendable);
const title = `containers that share a volume${isSkipped ? ` (skipped: ${obstacle?.reason})` : ""}`;

function start(volume: string, host: string, options: { script?: string; isInit?: boolean } = {}): Container {
	const container = startContainer({ script: OWNER, ...options, host, volume });
	onTestFinished(() => container.kill());
	return container;
}

describe.skipIf(isSkipped)(title, () => {
	test("a live owner is respected and named, by one with its pid, and with its host's name too", async () => {
		const volume = await temporaryDirectory();
		const owner = start(volume, "first");
		expect(await owner.nextLine()).toBe("open 1");
		const second = start(volume, "second");
		expect(await second.nextLine()).toMatch(
			/^owned 1 .* is in use by process 1 on host first, running since/,
		);
		expect(await start(volume, "first").nextLine()).toMatch(/^owned 1 .*process 1 on host first/);

		const here = NAMESPACES.map((name) => readlinkSync(`/proc/self/ns/${name}`));
		const [inFirst, inSecond] = await Promise.all([owner.ask("namespaces"), second.ask("namespaces")]);
		for (const [index, name] of NAMESPACES.entries()) {
			const each = [here[index], inFirst.split(" ")[index], inSecond.split(" ")[index]];
			expect(new Set(each).size, `${name}: ${each}`).toBe(3);
		}
	});

	test("after kill -9 from outside the next start takes over what was stored", async () => {
		const volume = await temporaryDirectory();
		const owner = start(volume, "first");
		expect(await owner.nextLine()).toBe("open 1");
		expect(await owner.ask("append a")).toBe("Appended a");
		await owner.kill();
		const next = start(volume, "second");
		expect(await next.nextLine()).toBe("open 1");
		expect(await next.ask("append b")).toBe("Appended b");
		expect(await next.ask("read")).toBe("a,b");
		expect(await start(volume, "third").nextLine()).toMatch(/^owned 1 .*process 1 on host second/);
	});

	test("a dead owner's pid that another process has now does not stand in the way", async () => {
		const volume = await temporaryDirectory();
		const owner = start(volume, "same");
		expect(await owner.nextLine()).toBe("open 1");
		await owner.kill();
		const next = start(volume, "same", { isInit: false });
		expect(await next.nextLine()).toMatch(/^open ([2-9]|\d\d+)$/);
		expect(await next.ask("init")).toBe("sh");
	});

	test("a reader in another one sees what the owner says is durable, and nothing else", async () => {
		const volume = await temporaryDirectory();
		const owner = start(volume, "owner");
		expect(await owner.nextLine()).toBe("open 1");
		expect(await owner.ask("append durable")).toBe("Appended durable");
		const reader = start(volume, "reader", { script: READER });
		expect(await reader.nextLine()).toBe("reads");
		owner.tell("hold");
		owner.tell("append written");
		await expect.poll(() => bytesOf(volume).includes('"written"')).toBe(true);
		expect(await reader.ask("read")).toBe("durable");
		const late = start(volume, "late", { script: READER });
		expect(await late.nextLine()).toBe("reads");
		expect(await late.ask("read")).toBe("durable");
		expect(await owner.ask("release")).toBe("Appended written");
		expect(await Promise.all([reader.ask("read"), late.ask("read")])).toEqual(
			Array(2).fill("durable,written"),
		);
		expect(await reader.ask("namespaces")).not.toBe(await owner.ask("namespaces"));
	});
});

/** The log as it lies there, whether durable or not. */
function bytesOf(volume: string): string {
	const folder = join(volume, "events");
	return readdirSync(folder)
		.map((name) => readFileSync(join(folder, name), "utf8"))
		.join("");
}
