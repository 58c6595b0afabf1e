import { archiver } from "@reelkeep/archiver";
import { describe, expect, it } from "vitest";
import { toUsageError, UsageError } from "./flags.js";

function thrownBy(run: () => unknown): unknown {
	try {
		run();
	} catch (error) {
		return error;
	}
	throw new Error("nothing was thrown");
}

describe("what a plugin refuses of its options", () => {
	it.each([
		["a number", { concurrency: 0 }, /^concurrency must be a whole number/],
		["a pattern", { allowHosts: ["http://x"] }, /http:\/\/x/],
	])("is a UsageError with the words of the plugin: %s", (_what, options, says) => {
		const error = toUsageError(thrownBy(() => archiver(options)));
		expect(error).toBeInstanceOf(UsageError);
		expect(error).toMatchObject({ message: expect.stringMatching(says) });
	});

	it("is told from whatever else goes wrong", () => {
		for (const other of [new Error("a fault"), new UsageError("said already"), "words", undefined]) {
			expect(toUsageError(other)).toBe(other);
		}
	});
});
