import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { CAPTURE_SECRET } from "@reelkeep/harness/transcript";
import { CAPTURE_NAMES, loadCapture, type RawReply, resign } from "@reelkeep/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

interface Expected {
	readonly format: "json" | "xml";
	readonly answer: string;
	readonly subMsg?: string;
}

const table: Readonly<Record<string, Expected>> = JSON.parse(
	readFileSync(new URL("../fixtures/captures.expected.json", import.meta.url), "utf8"),
);
const receiver = temporaryReceiver(fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url)));
let address = "";

beforeAll(async () => {
	({ address } = await receiver.serve());
});
afterAll(() => receiver.dispose());

/** How many events callbacks have made; the archiver adds its own at any time. */
async function reported(): Promise<number> {
	return (await receiver.events()).filter(({ metadata }) => metadata.ingress === "http").length;
}

function answerOf({ body }: RawReply): string {
	if (/"consume_state":1|<consume_state>1</.test(body)) return "success";
	const code = /"code":(\d+)|<code>(\d+)</.exec(body);
	const subCode = /"sub_code":"([^"]+)"|<sub_code>([^<]+)</.exec(body);
	return `${code?.[1] ?? code?.[2]} ${subCode?.[1] ?? subCode?.[2] ?? ""}`.trim();
}

describe("a capture of a real SDK, with a fresh timestamp and signature, gets the answer of the table", () => {
	test("every capture is in the table", () => expect(Object.keys(table).sort()).toEqual(CAPTURE_NAMES));

	for (const name of CAPTURE_NAMES) {
		test(name, async () => {
			const { format, answer, subMsg = "" } = table[name] as Expected;
			const request = resign(loadCapture(name), { secret: CAPTURE_SECRET, now: Date.now() });
			const reply = await sendRaw(address, request);
			expect(reply.status).toBe(200);
			expect(reply.body.startsWith(format === "json" ? "{" : "<")).toBe(true);
			expect(answerOf(reply)).toBe(answer);
			expect(reply.body).toContain(subMsg);
		});
	}

	test("a stale capture, as it was recorded, is answered 31 and stores nothing", async () => {
		const before = await reported();
		const request = resign(loadCapture("python3-2020"), {
			secret: CAPTURE_SECRET,
			now: Date.now() - 11 * 60_000,
		});
		expect(answerOf(await sendRaw(address, request))).toBe("31");
		expect(await reported()).toBe(before);
	});

	test("they make one recording, and two callbacks in quarantine", async () => {
		const events = await receiver.events();
		const count = (wanted: string): number => events.filter(({ type }) => type === wanted).length;
		expect(count("RecordingReported")).toBe(1);
		expect(count("CallbackQuarantined")).toBe(2);
		const reported = events.find(({ type }) => type === "RecordingReported");
		expect(reported?.data).toMatchObject({
			trackInfo: "9dacb134-1735-4e3b-bb33-3bea06ae54ad",
			projectId: "cg-avatar",
			gameId: "cgdctwrqs",
			accountDomain: 0,
			downloadUrl: "http://ali-cloudgame.oss-cn-zhangjiakou.aliyuncs.com/720p.mp4?***",
			expireTime: 1639238400000,
		});
	});
});
