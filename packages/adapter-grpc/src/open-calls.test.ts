import { describe, expect, it } from "vitest";
import { createOpenCalls } from "./open-calls.js";

/** What has settled once everything that could run has run. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
	let settled = false;
	void promise.then(() => {
		settled = true;
	});
	await new Promise((resolve) => setImmediate(resolve));
	return settled;
}

describe("open calls", () => {
	it("are idle at once where there is none", async () => {
		expect(await isSettled(createOpenCalls().idle())).toBe(true);
	});

	it("are idle once the last one has ended, for all who wait", async () => {
		const { begin, idle } = createOpenCalls();
		const end = [begin(), begin(), begin()];
		const waiting = [idle(), idle()];
		end[0]?.();
		end[2]?.();
		expect(await isSettled(waiting[0] as Promise<void>)).toBe(false);
		end[1]?.();
		expect(await Promise.all(waiting.map(isSettled))).toEqual([true, true]);
		begin();
		expect(await isSettled(idle())).toBe(false);
	});
});
