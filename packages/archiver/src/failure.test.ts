import { describe, expect, it } from "vitest";
import {
	decisiveFailure,
	type FailureReason,
	isWorthAnotherLink,
	type LinkFailure,
	storedFailureKind,
} from "./failure.js";

const failure = (reason: FailureReason): LinkFailure => ({
	reason,
	message: reason,
	linkFingerprint: reason,
});
const decisive = (...reasons: readonly FailureReason[]) => decisiveFailure(reasons.map(failure))?.reason;

describe("decisiveFailure", () => {
	it("lets our own part decide before what may pass, that before what is final, and there the newest link", () => {
		expect(decisive()).toBeUndefined();
		expect(decisive("expired", "busy")).toBe("busy");
		expect(decisive("expired", "not-allowed")).toBe("not-allowed");
		expect(decisive("failed", "sealed")).toBe("sealed");
		expect(decisive("expired", "refused")).toBe("expired");
		expect(decisive("refused", "expired")).toBe("refused");
	});
});

describe("isWorthAnotherLink", () => {
	it("spares the older links what is not the newest one's fault, until time is up", () => {
		expect(isWorthAnotherLink("failed", false)).toBe(false);
		expect(isWorthAnotherLink("failed", true)).toBe(true);
		expect(isWorthAnotherLink("not-allowed", true)).toBe(false);
		expect(isWorthAnotherLink("sealed", false)).toBe(true);
		expect(isWorthAnotherLink("expired", false)).toBe(true);
		expect(isWorthAnotherLink("not-found", false)).toBe(true);
	});
});

describe("storedFailureKind", () => {
	it("takes a reason of a later release for a passing one", () => {
		expect(storedFailureKind("toString")).toBe("passing");
		expect(storedFailureKind("not-found")).toBe("object");
	});
});
