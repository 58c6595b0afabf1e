import { storeFault } from "@reelkeep/core/ports";
import { describe, expect, test } from "vitest";
import { isLostRace, isRefused, toFault } from "./postgres-fault.js";

const withCode = (code: string): Error => Object.assign(new Error("value secret-in-a-message"), { code });

describe("toFault", () => {
	test.each([
		["ECONNREFUSED", true],
		["57P01", true],
		["57P03", true],
		["53300", true],
		["25006", true],
		["08006", true],
		["28P01", false],
		["3D000", false],
		["42501", false],
		["42P01", false],
	])("%s is io, and whether to try again is %s", (code, retryable) => {
		expect(toFault(withCode(code), "appending events")).toMatchObject({
			_tag: "StoreFault",
			reason: "io",
			retryable,
			message: expect.stringMatching(/^appending events: PostgreSQL /),
		});
	});

	test("quotes nothing that the server said", () => {
		const fault = toFault(withCode("23505"), "appending events");
		expect(`${fault.message} ${String(fault.cause)}`).not.toContain("secret");
	});

	test("leaves a fault as it is", () => {
		const fault = storeFault("closed", "closed");
		expect(toFault(fault, "reading")).toBe(fault);
	});

	test("takes what is no error at all", () => {
		for (const thrown of [undefined, null, "text", 1, {}]) {
			expect(toFault(thrown, "reading").reason).toBe("io");
		}
	});
});

test.each(["40001", "40P01"])("%s is a race that was lost", (code) => {
	expect([isLostRace(withCode(code)), isRefused(withCode(code))]).toEqual([true, false]);
});

test.each(["22P02", "23514", "54000"])("%s is a statement that was refused", (code) => {
	expect([isLostRace(withCode(code)), isRefused(withCode(code))]).toEqual([false, true]);
});
