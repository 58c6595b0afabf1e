import "reflect-metadata/lite";
import { describe, expect, test } from "vitest";
import { memoryStorage } from "../memory/plugin.js";
import { ADMISSION, type Plugin, type ReceiveOutcome, type RecordedEvent } from "../ports/index.js";
import { mended, renamed } from "../test-redrive.js";
import { compose, started } from "./test-reelkeep.js";

const undecodable = { requestParam: renamed(), appKey: "app", metadata: { ingress: "test" } };
const streamOf = (outcome: ReceiveOutcome): string => {
	if (!("stream" in outcome)) throw new Error(`not kept: ${outcome._tag}`);
	return outcome.stream;
};

describe("redriving", () => {
	test("takes a quarantined callback up again, once, with the composition's ports", async () => {
		const reelkeep = await started();
		const stream = streamOf(await reelkeep.receive(undecodable));
		expect(await reelkeep.redrive(stream)).toMatchObject({ _tag: "StillUndecodable" });
		const dry = await reelkeep.redrive(stream, { decode: mended, dryRun: true });
		expect(dry).toMatchObject({ _tag: "Redriven", outcome: "Reported" });
		expect(await reelkeep.redrive(stream, { decode: mended })).toEqual(dry);
		expect(await reelkeep.redrive(stream)).toMatchObject({ _tag: "AlreadyRedriven" });
	});

	test("asks the composition's admission", async () => {
		const nobody: Plugin = {
			name: "nobody",
			provides: [ADMISSION],
			needs: [],
			register: (registry) =>
				registry.provide(ADMISSION, () => ({ admit: async () => ({ _tag: "NotAdmitted", message: "no" }) })),
		};
		const reelkeep = await started({ plugins: [memoryStorage(), nobody] });
		const stream = streamOf(await reelkeep.receive(undecodable));
		expect(await reelkeep.redrive(stream, { decode: mended })).toMatchObject({ _tag: "NotAdmitted" });
	});

	test("gives a link without a plausible expiry the deadline that receive would have given it", async () => {
		const requestParam = renamed({ download_url: "http://bucket.example.com/720p.mp4", expire_time: 0 });
		const capsOf = async (deadlineCapMs?: number): Promise<number> => {
			const reelkeep = await started({ receive: { deadlineCapMs: 60_000 } });
			const stream = streamOf(await reelkeep.receive({ ...undecodable, requestParam }));
			const cap = deadlineCapMs === undefined ? {} : { deadlineCapMs };
			const redriven = await reelkeep.redrive(stream, { decode: mended, ...cap });
			if (redriven._tag !== "Redriven") throw new Error(redriven._tag);
			const [quarantined, reported] = [
				await firstOf(reelkeep.store.read(stream)),
				await firstOf(reelkeep.store.read(redriven.recording)),
			];
			const { at } = reported.data.deadline as { readonly at: number };
			return at - quarantined.recordedAt;
		};
		expect(await capsOf()).toBe(60_000);
		expect(await capsOf(90_000)).toBe(90_000);
	});

	test("rejects and says what to do unless Reelkeep runs", async () => {
		const reelkeep = compose();
		await expect(reelkeep.redrive("quarantine-0")).rejects.toThrow("redrive once Reelkeep runs");
		await reelkeep.start();
		expect(await reelkeep.redrive("quarantine-0")).toEqual({ _tag: "NotQuarantined" });
		await reelkeep.stop();
		await expect(reelkeep.redrive("quarantine-0")).rejects.toThrow("nothing can be redriven any more");
	});
});

async function firstOf(events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent> {
	for await (const event of events) return event;
	throw new Error("there is none");
}
