import { describe, expect, it } from "vitest";
import { DEFAULT_GRPC_LIMITS, type GrpcLimits, resolveLimits } from "./limits.js";

const NAMES = Object.keys(DEFAULT_GRPC_LIMITS) as (keyof GrpcLimits)[];

describe("resolveLimits", () => {
	it("has a default for each limit", () => {
		expect(resolveLimits()).toEqual(DEFAULT_GRPC_LIMITS);
		expect(resolveLimits({})).toEqual(DEFAULT_GRPC_LIMITS);
	});

	it("changes what is given, and nothing else", () => {
		const given = { maxInFlight: 1, requestTimeMs: 50 };
		expect(resolveLimits(given)).toEqual({ ...DEFAULT_GRPC_LIMITS, ...given });
		expect(DEFAULT_GRPC_LIMITS.maxInFlight).toBe(512);
	});

	it.each(NAMES)("takes 1 for %s, and refuses what is no positive whole number", (name) => {
		expect(resolveLimits({ [name]: 1 })[name]).toBe(1);
		for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "10", null]) {
			const limits = { [name]: value } as Partial<GrpcLimits>;
			expect(() => resolveLimits(limits)).toThrow(
				new RangeError(`limits.${name} must be a positive whole number`),
			);
		}
	});

	it.each(["requestTimeMs", "streamIdleMs"] as const)("refuses a %s that no timer can wait", (name) => {
		expect(() => resolveLimits({ [name]: 2 ** 31 })).toThrow(RangeError);
	});
});
