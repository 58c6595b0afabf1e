// What each command and a server make of a log in which others keep events of their own, and into which a later release has written.

import { fileURLToPath } from "node:url";
import { EVENT_TYPES, type EventStore, type NewEvent, silentLogger } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import { runCommand, type ServeProcess } from "@reelkeep/harness/reelkeep-process";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { createFsEventStore } from "@reelkeep/storage-fs";
import { sampleCallback, signedRequest } from "@reelkeep/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const LINK = "http://127.0.0.1:9/720p.mp4?Expires=4102444800&Signature=evolution%3D";
let receiver: TemporaryReceiver;
let strange: readonly NewEvent[];
beforeAll(async () => {
	receiver = temporaryReceiver(entry);
	const serve = await receiver.serve();
	await report(serve, JSON.stringify(sampleCallback({ download_url: LINK })));
	await report(serve, "not json");
	await serve.stop();
	strange = await withStore(appendStrange);
});
afterAll(() => receiver.dispose());

async function report({ address }: ServeProcess, requestParam: string): Promise<string> {
	const request = signedRequest({ secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam });
	return (await sendRaw(address, request)).body;
}

async function withStore<Value>(work: (store: EventStore) => Promise<Value>): Promise<Value> {
	const store = createFsEventStore({
		directory: receiver.directory,
		clock: systemClock,
		logger: silentLogger,
	});
	await store.open();
	try {
		return await work(store);
	} finally {
		await store.close();
	}
}

/** To every stream that there is, and to one of others. Returns what was appended. */
async function appendStrange(store: EventStore): Promise<readonly NewEvent[]> {
	const streams = new Set(["acme-orders"]);
	for await (const { stream } of store.readAll()) streams.add(stream);
	const types = [...Object.entries(EVENT_TYPES).map(([type]) => type), "acme.OrderPaid", "VideoErased"];
	const all: NewEvent[] = [];
	for (const stream of streams) {
		const events = types.map((type, at) => ({
			id: `strange-${stream.slice(0, 9)}-${at}`,
			type,
			schemaVersion: 2,
			data: { note: "游戏", sealedUrl: "not sealed by us", receipt: 1, bytes: "many" },
			metadata: { requestId: "theirs" },
		}));
		await store.append(stream, events, "any");
		all.push(...events);
	}
	return all;
}

test("events are printed as they are, also where links are revealed", async () => {
	for (const flags of [[], ["--reveal-links"]]) {
		const printed = (await receiver.events(...flags)).filter(({ id }) => id.startsWith("strange-"));
		expect(printed).toMatchObject(strange);
	}
});

test.each([
	[["verify"], "is sound"],
	[["doctor"], "log and videos agree"],
	[["recordings"], "pending"],
	[["quarantine", "ls", "--all"], "request_param is not JSON"],
	[["quarantine", "redrive", "--all", "--dry-run", "--json"], "StillUndecodable"],
])("%j says what it would say without them", async (command, said) => {
	const { stdout, stderr } = await runCommand(entry, [...command, ...receiver.data]);
	expect(stderr).toBe("");
	expect(stdout).toContain(said);
});

test("there is one recording, and one callback in quarantine", async () => {
	expect(await receiver.recordings()).toMatchObject([{ state: "pending" }]);
	const { stdout } = await receiver.run("quarantine", "ls", "--all", "--json");
	expect(stdout.trim().split("\n")).toHaveLength(1);
});

test("a server starts, is ready, knows its recordings and archives; a backup is taken beside it", async () => {
	const serve = await receiver.serve("--grpc", "127.0.0.1:0");
	expect(await report(serve, JSON.stringify(sampleCallback({ download_url: LINK })))).toContain(
		'"consume_state":1',
	);
	await expect
		.poll(async () => (await receiver.events()).map(({ type }) => type), { timeout: 20_000 })
		.toContain("ArchiveAttemptFailed");
	const to = `${receiver.directory}-copy`;
	expect(await receiver.run("backup", "--to", to)).toMatchObject({ code: 0 });
	const ready = await fetch(`${serve.address}/readyz`);
	expect([ready.status, await ready.text()]).toEqual([200, expect.not.stringMatching(/decode|is no /)]);
	await serve.stop();
	const ours = (await receiver.events()).filter(({ id }) => !id.startsWith("strange-"));
	expect(ours.filter(({ type }) => type === "RecordingReported")).toHaveLength(1);
	const copied = await runCommand(entry, ["events", "--data", to]);
	expect(copied.stdout).toContain('"acme.OrderPaid"');
});
