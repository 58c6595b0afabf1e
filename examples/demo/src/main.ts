// The main job, end to end, on real input: requests of real SDKs in, events and videos kept.
// Every step has an expectation; the first that is not met is named, and the exit code is 1.

import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { type ObjectStore, type RawReply, sampleVideo, startObjectStore } from "@reelkeep/testing";
import { ExpectationFailed, eventually, expect } from "./expectations.js";
import { type Receiver, startReceiver } from "./receiver.js";
import { detail, done, failed, step } from "./say.js";
import { APP_KEY, requestOf, SECRET, SENDERS, type Sender, UNDECODABLE } from "./senders.js";

const HOUR_MS = 3_600_000;

/** What the demo looks at of a line of `reelkeep events`. */
interface PrintedEvent {
	readonly type: string;
	readonly stream: string;
	readonly position: string;
	readonly data: {
		readonly downloadUrl?: string;
		readonly receipt?: { readonly location: string; readonly bytes: number; readonly sha256: string };
		readonly issues?: readonly { readonly problem: string }[];
		readonly message?: string;
	};
}

interface Demo {
	readonly receiver: Receiver;
	readonly objects: ObjectStore;
	readonly video: Uint8Array;
}

const directory = await mkdtemp(join(tmpdir(), "reelkeep-demo-"));
const video = await sampleVideo();
const objects = await startObjectStore({
	objects: Object.fromEntries([...SENDERS, UNDECODABLE].map(({ object }) => [object, video])),
});
try {
	console.log(
		"Reelkeep: a callback in, stored before it is acknowledged, its video kept before the link dies.",
	);
	const receiver = await startReceiver(directory, APP_KEY, SECRET);
	detail("receiver", `${receiver.address}/router/rest (reelkeep serve, its data in a temporary directory)`);
	detail("objects", `${objects.origin} (stands in for Aliyun OSS: signed links that expire)`);
	await play({ receiver, objects, video }).catch(async (error: unknown) => {
		await receiver.stop();
		throw error;
	});
	expect((await receiver.stop()) === 0, "reelkeep serve exits 0 on SIGTERM");
	done("Demo passed: everything expected was seen. Next: README.md, «Embed it» and «Run it».");
} catch (error) {
	if (!(error instanceof ExpectationFailed)) throw error;
	failed(`Expectation not met: ${error.message}`);
	process.exitCode = 1;
} finally {
	await objects.close();
	await rm(directory, { recursive: true, force: true });
}

async function play(demo: Demo): Promise<void> {
	for (const sender of SENDERS) await reportRecording(demo, sender);
	await repeatReport(demo);
	await forgeReport(demo);
	await reportUndecodable(demo);
	await showVideos(demo);
	await showHistory(demo);
}

async function reportRecording(demo: Demo, sender: Sender): Promise<void> {
	step(`${sender.name} reports a recording (${sender.habit})`);
	const before = (await events(demo)).length;
	const reply = await send(demo, requestOf(sender, link(demo, sender), Date.now()));
	expect(isSuccess(reply), `${sender.name} is answered consume_state 1`);
	const stored = (await events(demo)).slice(before);
	const reported = stored.find(({ type }) => type === "RecordingReported");
	expect(reported !== undefined, `${sender.name}'s callback is in the event log once it is answered`);
	detail("stored", `${reported.type} at position ${reported.position}: ${reported.data.downloadUrl}`);
}

async function repeatReport(demo: Demo): Promise<void> {
	const [sender] = SENDERS;
	if (sender === undefined) return;
	step(`${sender.name} sends its callback again, as after a dropped connection`);
	const before = await reports(demo);
	const url = (await events(demo, "--reveal-links"))[0]?.data.downloadUrl ?? "";
	const reply = await send(demo, requestOf(sender, String(url), Date.now()));
	expect(isSuccess(reply), "a duplicate is answered like the first");
	expect((await reports(demo)) === before, "a duplicate stores no second RecordingReported");
	detail("stored", "nothing new: one recording, one report");
}

async function forgeReport(demo: Demo): Promise<void> {
	step("Somebody without the secret reports a recording");
	const [sender] = SENDERS;
	if (sender === undefined) return;
	const before = await reports(demo);
	const reply = await send(demo, requestOf(sender, link(demo, sender), Date.now(), "not-the-secret"));
	expect(reply.body.includes('"code":25'), "a forged signature is answered 25 Invalid signature");
	expect((await reports(demo)) === before, "a forged report is not stored");
	detail("stored", "nothing");
}

async function reportUndecodable(demo: Demo): Promise<void> {
	step(`${UNDECODABLE.name} (${UNDECODABLE.habit})`);
	const reply = await send(demo, requestOf(UNDECODABLE, link(demo, UNDECODABLE), Date.now()));
	expect(
		reply.body.includes("isv.invalid-parameter"),
		"an undecodable callback is answered isv.invalid-parameter",
	);
	const kept = (await events(demo)).filter(({ type }) => type === "CallbackQuarantined");
	expect(kept.length === 1, "an authentic callback that cannot be decoded is quarantined once");
	detail(
		"stored",
		`CallbackQuarantined at position ${kept[0]?.position}: raw and sealed, nothing authentic is lost`,
	);
}

async function showVideos(demo: Demo): Promise<void> {
	step("The archiver keeps the videos before their links die");
	const recordings = await eventually("every reported video is kept", async () => {
		const rows = (await demo.receiver.look("recordings", "--json")).map((line) => JSON.parse(line));
		return rows.length === SENDERS.length && rows.every(({ state }) => state === "archived")
			? rows
			: undefined;
	});
	const sha256 = createHash("sha256").update(demo.video).digest("hex");
	for (const { object, video: file, bytes } of recordings) {
		const kept = createHash("sha256")
			.update(await readFile(file))
			.digest("hex");
		expect(kept === sha256, `the kept video of ${object} is the origin's, bit by bit`);
		detail("kept", `${object} (${bytes} bytes) as ${basename(file)}`);
	}
	const [receipt] = (await events(demo)).flatMap(({ data }) => data.receipt ?? []);
	detail("receipt", JSON.stringify(receipt));
}

async function showHistory(demo: Demo): Promise<void> {
	step("The event history (reelkeep events)");
	const all = await events(demo);
	for (const { position, type, stream, data } of all) {
		const what =
			(data.receipt && `${data.receipt.bytes} bytes, sha256 ${data.receipt.sha256.slice(0, 12)}…`) ??
			data.downloadUrl ??
			data.issues?.[0]?.problem ??
			data.message ??
			"";
		console.log(`   ${position.padStart(2)}  ${type.padEnd(20)} ${stream.slice(0, 18)}…  ${what}`);
	}
	const archived = all.filter(({ type }) => type === "RecordingArchived").length;
	expect(archived === SENDERS.length, "each recording has one RecordingArchived with its receipt");
	expect(!JSON.stringify(all).includes("Signature="), "no signed link is shown unless asked for by name");
}

async function send(demo: Demo, request: Buffer): Promise<RawReply> {
	// Method and path only: the rest of a request holds a live link.
	const line = request.subarray(0, request.indexOf("\r\n")).toString();
	detail("sent", `${line.split("?")[0]?.replace(" HTTP/1.1", "")}, ${request.length} bytes`);
	const reply = await sendRaw(demo.receiver.address, request);
	detail("answered", describeReply(reply));
	return reply;
}

/** The platform's envelope in a few words, from JSON or XML. */
function describeReply({ body, status }: RawReply): string {
	const format = body.startsWith("<") ? "XML" : "JSON";
	const member = (name: string): string =>
		new RegExp(`"${name}":"?([^",}]+)|<${name}>([^<]+)`).exec(body)?.slice(1).join("") ?? "";
	const said = member("consume_state")
		? `success, consume_state ${member("consume_state")}`
		: `error ${[member("code"), member("msg"), member("sub_code")].filter(Boolean).join(" ")}: ${member("sub_msg")}`;
	return `HTTP ${status}, ${format}: ${said}`;
}

function isSuccess({ status, body }: RawReply): boolean {
	return (
		status === 200 &&
		(body.includes('"consume_state":1') || body.includes("<consume_state>1</consume_state>"))
	);
}

function link({ objects: store }: Demo, { object }: Sender): string {
	return store.presign(object, Date.now() + HOUR_MS);
}

async function events(demo: Demo, ...flags: readonly string[]): Promise<readonly PrintedEvent[]> {
	return (await demo.receiver.look("events", ...flags)).map((line) => JSON.parse(line));
}

async function reports(demo: Demo): Promise<number> {
	return (await events(demo)).filter(({ type }) => type === "RecordingReported").length;
}
