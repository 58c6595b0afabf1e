import { readdir, readFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { createMemoryEventStore, createMemoryKeyring } from "@reelkeep/core";
import {
	CHECKPOINT_STORE,
	CLOCK,
	EVENT_STORE,
	type Get,
	KEYRING,
	LOGGER,
	type Plugin,
	type Token,
	toPosition,
	VIDEO_STORE,
} from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { expect, onTestFinished, test } from "vitest";
import { fsStorage, KEY_FILE_NAME } from "./plugin.js";
import { scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import { clock, idsOf, LOG_FILE, logFile, newEvent, rejection } from "./test-store.js";

/** What `createReelkeep` does with a plugin, as far as it matters here; `mine` takes the place of what it provides. */
function compose(plugin: Plugin, ...mine: readonly (readonly [symbol, unknown])[]): Get {
	const made = new Map<symbol, unknown>([...mine, [CLOCK, clock], [LOGGER, transcribingLogger()]]);
	const factories = new Map<symbol, (get: Get) => unknown>();
	const get: Get = <T>(token: Token<T>): T => {
		if (!made.has(token)) made.set(token, factories.get(token)?.(get));
		return made.get(token) as T;
	};
	plugin.register?.({ provide: (token, factory) => void factories.set(token, factory) });
	onTestFinished(async () => plugin.stop?.());
	return get;
}

test("a start that fails gives up what it had taken, and says why", async () => {
	const directory = await temporaryDirectory();
	const keyFile = join(await temporaryDirectory(), "keys.json");
	const first = fsStorage({ directory, keyFile });
	const get = compose(first);
	await first.start?.(get);
	await get(EVENT_STORE).append("s", [newEvent()], "any");
	await first.stop?.();
	await rm(keyFile);
	const second = fsStorage({ directory, keyFile });
	const fault = await rejection(second.start?.(compose(second)) ?? Promise.resolve());
	expect(fault).toMatchObject({ _tag: "KeyringFault", reason: "unavailable" });
	expect((fault as Error).message).toContain(keyFile);
	expect((await readdir(directory)).filter((name) => name.endsWith(".sock"))).toEqual([]);
});

test("a second one on the same directory is refused, also in the same process", async () => {
	const directory = await temporaryDirectory();
	const first = fsStorage({ directory });
	await first.start?.(compose(first));
	const second = fsStorage({ directory });
	const fault = await rejection(second.start?.(compose(second)) ?? Promise.resolve());
	expect(fault).toMatchObject({
		reason: "owned",
		message: expect.stringContaining(`process ${process.pid}`),
	});
	expect(await first.check?.()).toEqual([]);
});

test("everything rejects with closed before the start and after the stop", async () => {
	const plugin = fsStorage({ directory: await temporaryDirectory() });
	const get = compose(plugin);
	const refused = async () => {
		const closed = { reason: "closed" };
		expect(await rejection(get(EVENT_STORE).append("s", [newEvent()], "any"))).toMatchObject(closed);
		expect(await rejection(get(CHECKPOINT_STORE).load("a"))).toMatchObject(closed);
		expect(await rejection(get(VIDEO_STORE).begin("k"))).toMatchObject(closed);
	};
	await refused();
	await plugin.start?.(get);
	await plugin.stop?.();
	await refused();
});

test("its own keys are not asked for where another keyring is in use", async () => {
	const directory = await temporaryDirectory();
	const start = async (): Promise<Plugin> => {
		const plugin = fsStorage({ directory });
		const get = compose(plugin, [KEYRING, createMemoryKeyring()]);
		await plugin.start?.(get);
		await get(EVENT_STORE).append("s", [newEvent()], "any");
		return plugin;
	};
	await (await start()).stop?.();
	await (await start()).stop?.();
	expect(await readdir(directory)).not.toContain(KEY_FILE_NAME);
});

test("keys are not made anew where the log in use is another one and holds something", async () => {
	const directory = await temporaryDirectory();
	const mine = createMemoryEventStore({ clock: Date });
	await mine.append("s", [newEvent()], "any");
	const plugin = fsStorage({ directory });
	await expect(plugin.start?.(compose(plugin, [EVENT_STORE, mine]))).rejects.toMatchObject({
		_tag: "KeyringFault",
	});
});

test("a log that was cut while it was closed is refused, in words", async () => {
	const directory = await temporaryDirectory();
	const first = fsStorage({ directory });
	const get = compose(first);
	await first.start?.(get);
	await get(EVENT_STORE).append("s", [newEvent()], "any");
	await first.stop?.();
	const header = (await readFile(logFile(directory))).indexOf("\n") + 1;
	await truncate(logFile(directory), header);
	const second = fsStorage({ directory });
	expect(await rejection(second.start?.(compose(second)) ?? Promise.resolve())).toMatchObject({
		reason: "corrupt",
		message: expect.stringContaining("00000001.ndjson, its end: the event at position 1 should follow"),
	});
});

test("a full disk is a problem until there is room again, a failed sync until the log could be opened anew", async () => {
	const disk = scriptedDisk();
	const plugin = fsStorage({ directory: await temporaryDirectory(), fileSystem: disk.fileSystem });
	const get = compose(plugin);
	await plugin.start?.(get);
	const append = (): Promise<unknown> => get(EVENT_STORE).append("s", [newEvent()], "any");
	const failing = (failed: string, code: string) => {
		disk.before = ({ operation, path }) => {
			if (operation === failed && path.endsWith(LOG_FILE)) throw systemError(code);
		};
	};
	failing("write", "ENOSPC");
	await rejection(append());
	expect(await plugin.check?.()).toEqual([
		{ source: "storage-fs", message: expect.stringContaining("disk is full"), severity: "degraded" },
	]);
	disk.before = () => {};
	await append();
	expect(await plugin.check?.()).toEqual([]);
	failing("datasync", "EIO");
	await rejection(append());
	expect(await plugin.check?.()).toEqual([
		{ source: "storage-fs", message: expect.stringContaining("opened anew") },
	]);
	disk.before = () => {};
	await expect.poll(() => plugin.check?.()).toEqual([]);
	await append();
});

test("a stop finishes what is pending, and a new start finds everything", async () => {
	const directory = await temporaryDirectory();
	const first = fsStorage({ directory });
	const get = compose(first);
	await first.start?.(get);
	const sealed = await get(KEYRING).seal("link", "c");
	await get(CHECKPOINT_STORE).save("a", toPosition(1), undefined);
	const upload = await get(VIDEO_STORE).begin("k");
	await upload.write(Buffer.from("video"));
	await upload.commit();
	const pending = Promise.all(
		[1, 2, 3].map((note) => get(EVENT_STORE).append(`s-${note}`, [newEvent()], "any")),
	);
	await first.stop?.();
	await pending;
	const second = fsStorage({ directory });
	const again = compose(second);
	await second.start?.(again);
	expect((await idsOf(again(EVENT_STORE))).length).toBe(3);
	expect(await again(KEYRING).open(sealed, "c")).toBe("link");
	expect(await again(CHECKPOINT_STORE).load("a")).toBe("1");
	expect(await again(VIDEO_STORE).stat("k")).toMatchObject({ bytes: 5 });
	const files = (await readdir(directory)).sort();
	expect(files).toEqual(["checkpoints", "events", "keys.json", "owner.1.sock", "videos"]);
});
