// A damaged log through the product: refused, told by verify, repaired, served again.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { sampleCallback, signedRequest } from "@reelkeep/testing";
import { expect, test } from "vitest";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));

function report(track: string): Buffer {
	const requestParam = JSON.stringify(sampleCallback({ track_info: track }));
	return signedRequest({ secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam });
}

test("a damaged log is told of, refused, repaired and served again; what was lost can be reported anew", async () => {
	const receiver = temporaryReceiver(entry);
	try {
		const first = await receiver.serve();
		for (const track of ["a", "b", "c", "d"]) {
			expect((await sendRaw(first.address, report(track))).body).toContain('"consume_state":1');
		}
		const sound = await receiver.run("verify");
		expect(sound.stdout).toMatch(/^\d+ events in 1 segments, .*\nthe event log is sound\n$/);
		expect(sound.code).toBe(0);
		const refused = await receiver.run("repair");
		expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("is in use by process") });
		await first.stop("SIGKILL");

		const before = await receiver.events();
		const log = join(receiver.directory, "events/00000001.ndjson");
		const bytes = readFileSync(log);
		const at = bytes.indexOf('"trackInfo":"b"');
		bytes.write("?", at);
		writeFileSync(log, bytes);
		const lost = before.find(({ data }) => data.trackInfo === "b")?.position;

		const told = await receiver.run("verify");
		expect(told.code).toBe(1);
		expect(told.stdout).toContain(`the event at position ${lost}\n`);
		expect(JSON.parse((await receiver.run("verify", "--json")).stdout)).toMatchObject({
			sound: false,
			damages: [{ segment: 1, first: Number(lost), last: Number(lost) }],
		});
		const start = await receiver.serve().then(
			() => undefined,
			(error: Error) => error.message,
		);
		expect(start).toContain("00000001.ndjson");
		expect(start).toContain("reelkeep repair");
		expect(readFileSync(log)).toEqual(bytes);

		const repaired = await receiver.run("repair");
		expect(repaired.stdout).toContain("kept aside: events/damaged/00000001.ndjson-");
		expect(repaired.code).toBe(0);
		expect(readdirSync(join(receiver.directory, "events/damaged")).length).toBe(1);
		expect((await receiver.run("repair")).stdout).toContain("there was nothing to repair");

		const second = await receiver.serve();
		for (const track of ["a", "b", "c", "d"]) {
			expect((await sendRaw(second.address, report(track))).body).toContain('"consume_state":1');
		}
		const after = await receiver.events();
		const reports = after.filter(({ type }) => type === "RecordingReported");
		expect(reports.map(({ data }) => data.trackInfo).sort()).toEqual(["a", "b", "c", "d"]);
		for (const event of before.filter(({ position }) => position !== lost))
			expect(after).toContainEqual(event);
		expect(after.some(({ type }) => type === "LogRepaired")).toBe(true);
		expect((await receiver.run("recordings")).stdout).toContain("pending");
		expect((await receiver.run("verify")).stdout).toContain(
			`an earlier repair has noted: the event at position ${lost}`,
		);
		expect(await second.stop()).toBe(0);
	} finally {
		await receiver.dispose();
	}
});

test("a directory without a store is refused in words, by both", async () => {
	const receiver = temporaryReceiver(entry);
	try {
		for (const command of ["verify", "repair"]) {
			const { code, stderr } = await receiver.run(command);
			expect(stderr).toContain("there is no event store in");
			expect(code).toBe(1);
		}
	} finally {
		await receiver.dispose();
	}
});
