// Today's code reads what every earlier build wrote: test/fixtures/logs/README.md says which those are.

import { chmod, cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
	decodeEvent,
	EVENT_TYPES,
	foldQuarantine,
	foldRecordings,
	isEventType,
	openLink,
	openQuarantined,
	type ReelkeepEvent,
} from "@reelkeep/core";
import type { RecordedEvent } from "@reelkeep/core/ports";
import { describe, expect, test } from "vitest";
import { openFsEventReader } from "./event-reader.js";
import { createFileKeyring } from "./keyring.js";
import { LOG_FORMAT } from "./log-format.js";
import { KEY_FILE_NAME } from "./plugin.js";
import { temporaryDirectory } from "./test-disk.js";
import { collect, newEvent, openStore, soleOwnership } from "./test-store.js";
import { sha256 } from "./test-videos.js";
import { verifyFsStorage } from "./verify.js";

const LOGS = fileURLToPath(new URL("../test/fixtures/logs", import.meta.url));
const names = (await readdir(LOGS)).filter((name) => /^\d+-/.test(name)).sort();
const newest = names.at(-1) as string;

async function expected<Value>(log: string, name: string): Promise<Value> {
	return JSON.parse(await readFile(join(LOGS, log, name), "utf8"));
}

/** A copy that may be written to, with the rights that a checkout does not keep. */
async function copyOf(log: string): Promise<string> {
	const directory = join(await temporaryDirectory(), log);
	await cp(join(LOGS, log), directory, { recursive: true });
	await chmod(join(directory, KEY_FILE_NAME), 0o600);
	return directory;
}

/** Throws for an event of ours that is not decoded; those of others have types of their own. */
function decodeOurs(event: RecordedEvent): readonly ReelkeepEvent[] {
	if (event.type.startsWith("acme.")) return [];
	const decoded = decodeEvent(event);
	if (decoded === undefined) throw new Error(`nobody knows ${event.type}`);
	return [decoded];
}

describe.each(names)("the log %s", (log) => {
	test("is opened, read event by event, and written on", async () => {
		const directory = await copyOf(log);
		const events = await expected<readonly RecordedEvent[]>(log, "expected-events.json");
		const store = await openStore(directory);
		expect(await collect(store.readAll())).toEqual(events);
		for (const stream of new Set(events.map((event) => event.stream))) {
			const ofStream = events.filter((event) => event.stream === stream);
			expect(await collect(store.read(stream))).toEqual(ofStream);
			// Where a repair has left a gap the last version says how many there were.
			const { version } = ofStream.at(-1) as RecordedEvent;
			expect(await store.append(stream, [newEvent()], version)).toMatchObject({ version: version + 1 });
		}
		await store.close();
		const again = await openStore(directory);
		expect((await collect(again.readAll())).slice(0, events.length)).toEqual(events);
	});

	test("is sound, and is read without an owner, all but what nothing proves to be durable", async () => {
		const directory = await copyOf(log);
		const events = await expected<readonly RecordedEvent[]>(log, "expected-events.json");
		expect((await verifyFsStorage({ directory })).damages).toEqual([]);
		const reader = await openFsEventReader({ directory, ownership: soleOwnership });
		const read = await collect(reader.readAll());
		await reader.close();
		expect(read).toEqual(events.slice(0, read.length));
		expect(read.length).toBeGreaterThanOrEqual(events.length - 1);
	});

	test("folds to the recordings that it told of, and to its quarantine", async () => {
		const events = await expected<readonly RecordedEvent[]>(log, "expected-events.json");
		const store = await openStore(await copyOf(log));
		const recordings = [...(await foldRecordings(store.readAll())).values()];
		const states = recordings.map(({ reported, state }) => [reported?.trackInfo, state]);
		expect(Object.fromEntries(states)).toEqual(await expected(log, "expected-recordings.json"));
		const quarantined = events.filter(({ type }) => type === "CallbackQuarantined");
		expect([...(await foldQuarantine(store.readAll())).keys()]).toEqual(
			quarantined.map(({ stream }) => stream),
		);
	});

	test("has events that decode, links and bodies that its keys open", async () => {
		const directory = await copyOf(log);
		const keyring = createFileKeyring({ file: join(directory, KEY_FILE_NAME) });
		await keyring.load({ createIfMissing: false });
		const store = await openStore(directory);
		const opened = new Set<string>();
		for (const event of (await collect(store.readAll())).flatMap(decodeOurs)) {
			if ("sealedUrl" in event.data) {
				const link = await openLink(keyring, event.stream, event.data);
				expect(link).toMatch(/^http:\/\/bucket\.example\.com\/\w+\.mp4\?Expires=\d+&Signature=fixture-/);
				opened.add("link");
			}
			if (event.type === "CallbackQuarantined") {
				const body = await openQuarantined(keyring, event.stream, event.data);
				expect(sha256(body)).toBe(event.data.sha256);
				opened.add("body");
			}
		}
		expect(opened.size).toBe(2);
	});
});

describe("the newest committed log", () => {
	const remedy = `add a folder: node packages/storage-fs/test/write-log.mjs packages/storage-fs/test/fixtures/logs/${names.length + 1}-…`;

	test("has the format that is written today", async () => {
		const text = await readFile(join(LOGS, newest, "events/00000001.ndjson"), "utf8");
		expect(JSON.parse(text.slice(0, text.indexOf("\n"))), remedy).toMatchObject({ format: LOG_FORMAT });
	});

	test("has every event type of today, in today's schema version", async () => {
		const events = await expected<readonly RecordedEvent[]>(newest, "expected-events.json");
		const written = events.filter(({ type }) => isEventType(type));
		const versions = Object.fromEntries(written.map(({ type, schemaVersion }) => [type, schemaVersion]));
		const today = Object.entries(EVENT_TYPES).map(([type, { schemaVersion }]) => [type, schemaVersion]);
		expect(versions, remedy).toEqual(Object.fromEntries(today));
	});
});
