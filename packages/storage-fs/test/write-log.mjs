// Writes a small data directory with the built packages, one event of every type in it, and what is in it beside:
// node packages/storage-fs/test/write-log.mjs FOLDER
// For test/fixtures/logs: so the next build is shown to read what this one has written.

import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as core from "@reelkeep/core";
import { createFileKeyring, createFsEventStore, KEY_FILE_NAME, repairFsStorage } from "@reelkeep/storage-fs";

const START = 1_760_000_000_000;
const APP_KEY = "12345678";
const directory = process.argv[2];
if (directory === undefined) throw new Error("which folder?");

let nowMs = START;
const clock = {
	now: () => {
		nowMs += 1000;
		return nowMs;
	},
	sleep: (_, signal) => new Promise((resolve) => signal?.addEventListener("abort", () => resolve())),
};
const nothing = () => undefined;
const admission = { admit: async () => ({ _tag: "Admitted" }) };
const keyring = createFileKeyring({ file: join(directory, KEY_FILE_NAME) });
let serial = 0;
const ids = { next: () => `00000000-0000-4000-8000-${String(++serial).padStart(12, "0")}` };

const linkTo = (object, turn) =>
	`http://bucket.example.com/${object}.mp4?Expires=${START / 1000 + 3600 + turn}&Signature=fixture-${object}-${turn}`;
const fingerprint = (object, turn) => core.linkFingerprint(linkTo(object, turn));
const callback = (track, turn = 0, changes = {}) =>
	JSON.stringify({
		game_id: "game-游戏",
		track_info: track,
		account_domain: 0,
		download_url: linkTo(track, turn),
		version: 1,
		account_id: "account",
		expire_time: START + 3_600_000,
		action: core.SCREEN_RECORDING_CALL_BACK,
		project_id: "project",
		...changes,
	});
const streamOf = (track) =>
	core.recordingStream({
		projectId: "project",
		trackInfo: track,
		object: `bucket.example.com/${track}.mp4`,
	});

async function openStore() {
	const store = createFsEventStore({ directory, clock, logger: core.silentLogger, segmentBytes: 4096 });
	await store.open();
	const telemetry = { count: nothing, record: nothing };
	const receive = core.createReceive({
		...{ store, keyring, admission, clock, ids, telemetry },
		logger: core.silentLogger,
	});
	return {
		store,
		async report(requestParam) {
			const correlationId = `request-${serial}`;
			const verification = { scheme: "md5", clockSkewMs: 12 };
			const metadata = { ingress: "http", appKey: APP_KEY, correlationId, verification };
			const outcome = await receive({ requestParam, appKey: APP_KEY, metadata });
			if (!("stream" in outcome)) throw new Error(`not kept: ${outcome._tag}`);
		},
		async tell(track, command) {
			const options = { metadata: { ingress: "archiver" } };
			const { outcome } = await core.execute({ store, ids }, streamOf(track), command, options);
			if (outcome !== "Accepted") throw new Error(`${command._tag}: ${outcome}`);
		},
	};
}

async function tellOfRecordings() {
	const { store, report, tell } = await openStore();
	await report(callback("kept"));
	await report(callback("kept", 1));
	await report(callback("kept", 0, { account_id: "another" }));
	await tell("kept", {
		_tag: "RecordFailedAttempt",
		reason: "broke-off",
		message: "the connection ended",
		linkFingerprint: fingerprint("kept", 1),
		tried: true,
		nextAttemptAt: START + 60_000,
	});
	const [location, sha256] = ["videos/aa/kept.mp4", "0".repeat(64)];
	const receipt = { location, bytes: 7, sha256, lengthVerified: true, contentType: "video/mp4" };
	await tell("kept", { _tag: "ArchiveRecording", receipt, adopted: false });
	for (const track of ["expired", "lost"]) {
		await report(callback(track));
		const tried = [fingerprint(track, 0)];
		await tell(track, { _tag: "ExpireLink", cause: "refused", message: `403 ${track}`, tried });
	}
	await report(callback("abandoned"));
	const tried = [fingerprint("abandoned", 0)];
	await tell("abandoned", { _tag: "AbandonArchive", cause: "too-large", message: "too large", tried });
	const orders = [1, 2, 3].map((turn) => ({
		id: `acme-${turn}`,
		type: "acme.OrderPaid",
		schemaVersion: turn,
		data: { amount: turn, note: '游戏 \u2028 "q"' },
		metadata: {},
	}));
	await store.append("acme-orders", orders, "no-stream");
	const tagged = { id: "acme-4", type: "acme.VideoTagged", schemaVersion: 1, data: { tag: "best" } };
	await store.append(streamOf("kept"), [{ ...tagged, metadata: { causationId: "acme-1" } }], "any");
	const message = "the file of the video is missing";
	await tell("kept", { _tag: "RemoveVideo", location, cause: "missing", message });
	await store.close();
}

async function tellOfQuarantine() {
	const { store, report } = await openStore();
	await report(callback("kept", 0, { project_id: null }));
	await report("{'single': 'quotes'}");
	await report(new Uint8Array([0xff, 0xfe, 0x7b]));
	const [first] = (await core.foldQuarantine(store.readAll())).keys();
	const decode = () => core.decodeCallback(callback("kept", 2));
	await core.redrive({ store, keyring, admission, ids, decode }, first);
	await store.close();
}

/** One event is damaged and given up. */
async function loseAnEvent() {
	for (const segment of [1, 2, 3]) {
		const file = join(directory, `events/0000000${segment}.ndjson`);
		const bytes = await readFile(file);
		const at = bytes.indexOf('"403 lost"');
		if (at !== -1) bytes[at + 1] ^= 1;
		await writeFile(file, bytes);
	}
	await repairFsStorage({ directory, clock });
}

async function readAll(store) {
	const events = [];
	for await (const event of store.readAll()) events.push(event);
	const recordings = [...(await core.foldRecordings(store.readAll())).values()];
	const states = recordings.map(({ reported, state }) => [reported?.trackInfo, state]);
	const write = (name, value) =>
		writeFile(join(directory, name), `${JSON.stringify(value, undefined, "\t")}\n`);
	await write("expected-events.json", events);
	await write("expected-recordings.json", Object.fromEntries(states));
}

await rm(directory, { recursive: true, force: true });
await keyring.load({ createIfMissing: true });
await tellOfRecordings();
await tellOfQuarantine();
await loseAnEvent();
const { store, report } = await openStore();
await report(callback("last"));
await readAll(store);
// As a process leaves it that was killed.
process.on("exit", () => process.kill(process.pid, "SIGKILL"));
await rm(join(directory, "owner.1.sock"), { force: true });
process.exit();
