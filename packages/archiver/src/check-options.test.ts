import { describe, expect, it } from "vitest";
import { type ArchiverOptions, createArchiver } from "./archiver.js";
import { createHttpVideoSource, type HttpVideoSourceOptions } from "./http-video-source.js";
import { archiver } from "./plugin.js";
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from "./retry.js";
import { LOCAL, NAME, origin, presign, QUICK, scene, start, typesOf } from "./test-archiving.js";

const NO_NUMBERS = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const MOST = Number.MAX_SAFE_INTEGER;

function makeArchiver(options: ArchiverOptions) {
	return createArchiver({ ...scene, source: LOCAL }, options);
}

describe("the HTTP source", () => {
	const whole = `a whole number from 1 to ${MOST}`;
	const timer = "a number from 1 to 2147483647";
	it.each<[keyof HttpVideoSourceOptions, string, readonly number[], readonly number[]]>([
		["maxBytes", whole, [1, MOST], [0, -1, 1.5, MOST + 1]],
		["connectTimeoutMs", timer, [1, 2 ** 31 - 1], [0, -1, 2 ** 31]],
		["firstByteTimeoutMs", timer, [1, 2 ** 31 - 1], [0, -1, 2 ** 31]],
		["idleTimeoutMs", timer, [1, 2 ** 31 - 1], [0, -1, 2 ** 31]],
		["throughputWindowMs", timer, [1, 2 ** 31 - 1], [0, -1, 2 ** 31]],
		["minBytesPerSecond", `a number from 0 to ${MOST}`, [0, 0.5, MOST], [-1, MOST + 1]],
	])("takes for %s %s, and nothing else", (name, takes, right, wrong) => {
		for (const value of right) expect(() => createHttpVideoSource({ [name]: value })).not.toThrow();
		for (const value of [...wrong, ...NO_NUMBERS]) {
			const error = new RangeError(`${name} must be ${takes}`);
			expect(() => createHttpVideoSource({ [name]: value })).toThrow(error);
			expect(() => archiver({ [name]: value })).toThrow(error);
		}
	});
});

describe("the archiver", () => {
	const count = `a whole number from 1 to ${MOST}`;
	const atLeastZero = `a number from 0 to ${MOST}`;
	it.each<[keyof ArchiverOptions, string, readonly number[], readonly number[]]>([
		["concurrency", count, [1, MOST], [0, -1, 1.5, MOST + 1]],
		["concurrencyPerHost", count, [1, MOST], [0, -1, 1.5, MOST + 1]],
		["atRiskMs", atLeastZero, [0, 0.5, MOST], [-1, MOST + 1]],
		["refreshBeforeMs", atLeastZero, [0, 0.5, MOST], [-1, MOST + 1]],
		["reserveBytes", atLeastZero, [0, 0.5, MOST], [-1, MOST + 1]],
	])("takes for %s %s, and nothing else", (name, takes, right, wrong) => {
		for (const value of right) expect(() => makeArchiver({ [name]: value })).not.toThrow();
		for (const value of [...wrong, ...NO_NUMBERS]) {
			const error = new RangeError(`${name} must be ${takes}`);
			expect(() => makeArchiver({ [name]: value })).toThrow(error);
			expect(() => archiver({ [name]: value })).toThrow(error);
		}
	});

	const delay = "a number from 0 to 3153600000000";
	it.each<[keyof RetryPolicy, string, readonly number[], readonly number[]]>([
		["firstDelayMs", delay, [0, 0.5, 3_153_600_000_000], [-1, 3_153_600_000_001]],
		["maxDelayMs", delay, [0, 0.5, 3_153_600_000_000], [-1, 3_153_600_000_001]],
		["minDelayMs", delay, [0, 0.5, 3_153_600_000_000], [-1, 3_153_600_000_001]],
		["graceMs", delay, [0, 0.5, 3_153_600_000_000], [-1, 3_153_600_000_001]],
		["confirmationDelayMs", delay, [0, 0.5, 3_153_600_000_000], [-1, 3_153_600_000_001]],
		["confirmations", `a whole number from 0 to ${MOST}`, [0, 4, MOST], [-1, 1.5]],
	])("takes for retry.%s %s, and nothing else", (name, takes, right, wrong) => {
		for (const value of right) expect(() => makeArchiver({ retry: { [name]: value } })).not.toThrow();
		for (const value of [...wrong, ...NO_NUMBERS]) {
			const error = new RangeError(`retry.${name} must be ${takes}`);
			expect(() => makeArchiver({ retry: { [name]: value } })).toThrow(error);
			expect(() => archiver({ retry: { [name]: value } })).toThrow(error);
		}
	});

	it("knows a limit for each number of the retry policy", () => {
		for (const name of Object.keys(DEFAULT_RETRY_POLICY)) {
			expect(() => makeArchiver({ retry: { [name]: Number.NaN } })).toThrow(`retry.${name}`);
		}
	});

	it("takes a member of the retry policy that is undefined as if it were not given", async () => {
		const retry: Partial<RetryPolicy> = { ...QUICK };
		Reflect.set(retry, "firstDelayMs", undefined);
		origin.fault(NAME, { _tag: "Status", status: 500 });
		const stream = await scene.report(presign());
		start({}, { retry });
		const history = await scene.until(stream, "RecordingArchived");
		expect(typesOf(history)).toEqual(["RecordingReported", "ArchiveAttemptFailed", "RecordingArchived"]);
	});
});
