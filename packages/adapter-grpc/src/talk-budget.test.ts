import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTalkBudget } from "./talk-budget.js";

const KIB = 1024;
const MINUTE_MS = 60_000;
const TALK_BYTES = 64 * KIB;
const CALL_BYTES = 16 * KIB;
const PING_BYTES = 17;
const MAX_MESSAGE_BYTES = 256 * KIB;

const messageBytes = fc.integer({ min: 1, max: 4 * MAX_MESSAGE_BYTES });
const startedAt = fc.integer({ min: 0, max: 1e9 });
/** When somebody looks, as distances. */
const looks = fc.array(fc.integer({ min: 0, max: 2 * MINUTE_MS }), { minLength: 1, maxLength: 50 });

describe("a connection's talk", () => {
	it("is never too much while it is silent, however long and often one looks", () => {
		fc.assert(
			fc.property(messageBytes, startedAt, looks, (bytes, start, distances) => {
				const budget = createTalkBudget(bytes, start);
				let nowMs = start;
				for (const distance of distances) {
					nowMs += distance;
					expect(budget.isOver(0, 0, nowMs)).toBe(false);
				}
			}),
		);
	});

	it("without calls is too much from the first byte past 64 KiB in a minute", () => {
		fc.assert(
			fc.property(messageBytes, startedAt, fc.nat(MINUTE_MS), (bytes, start, afterMs) => {
				const budget = createTalkBudget(bytes, start);
				expect(budget.isOver(TALK_BYTES, 0, start)).toBe(false);
				expect(budget.isOver(TALK_BYTES + 1, 0, start + afterMs)).toBe(true);
			}),
		);
	});

	it("may be a PING every 20 ms for ever, looked at each second", () => {
		const budget = createTalkBudget(MAX_MESSAGE_BYTES, 0);
		for (let second = 1; second <= 3_600; second += 1) {
			const bytes = second * 50 * PING_BYTES;
			expect(budget.isOver(bytes, bytes, second * 1_000)).toBe(false);
		}
	});

	it("is found out in a minute when it is a PING every 10 ms", () => {
		const budget = createTalkBudget(MAX_MESSAGE_BYTES, 0);
		const seconds = Array.from({ length: 60 }, (_, index) => index + 1);
		const over = seconds.find((second) => {
			const bytes = second * 100 * PING_BYTES;
			return budget.isOver(bytes, bytes, second * 1_000);
		});
		expect(over).toBeDefined();
	});

	it("is not saved up from a silent minute for the next", () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 100 }), (minutes) => {
				const budget = createTalkBudget(MAX_MESSAGE_BYTES, 0);
				for (let minute = 1; minute <= minutes; minute += 1) budget.isOver(0, 0, minute * MINUTE_MS);
				expect(budget.isOver(TALK_BYTES + 1, 0, minutes * MINUTE_MS + 1)).toBe(true);
			}),
		);
	});
});

/** A client that keeps to gRPC: calls of up to so many messages, and 64 KiB of talk a minute. */
const call = fc.record({
	messages: fc.array(fc.nat(MAX_MESSAGE_BYTES), { maxLength: 4 }),
	headerBytes: fc.nat(CALL_BYTES),
});

describe("what calls account for", () => {
	it("is never too much: headers, and messages of up to the limit", () => {
		fc.assert(
			fc.property(fc.array(call, { maxLength: 40 }), fc.nat(TALK_BYTES), (calls, talk) => {
				const budget = createTalkBudget(MAX_MESSAGE_BYTES, 0);
				let read = talk;
				let nowMs = 0;
				for (const { messages, headerBytes } of calls) {
					budget.begin();
					read += headerBytes;
					for (const bytes of messages) {
						read += bytes;
						// Looked at while the message is here, and not yet whole.
						expect(budget.isOver(read, 0, nowMs)).toBe(false);
						budget.message();
					}
					budget.end(0);
					nowMs += 10;
					expect(budget.isOver(read, 0, nowMs)).toBe(false);
				}
			}),
		);
	});

	it("is that of the calls that are open, again in each minute", () => {
		fc.assert(
			fc.property(fc.nat(50), fc.nat(50), messageBytes, (open, ended, bytes) => {
				const budget = createTalkBudget(bytes, 0);
				for (let count = 0; count < open + ended; count += 1) budget.begin();
				for (let count = 0; count < ended; count += 1) budget.end(0);
				const perCall = CALL_BYTES + bytes;
				const first = TALK_BYTES + (open + ended) * perCall;
				expect(budget.isOver(first + 1, 0, 1)).toBe(true);
				expect(budget.isOver(first, 0, MINUTE_MS)).toBe(false);
				const second = TALK_BYTES + open * perCall;
				expect(budget.isOver(first + second, 0, MINUTE_MS + 1)).toBe(false);
				expect(budget.isOver(first + second + 1, 0, MINUTE_MS + 1)).toBe(true);
			}),
		);
	});

	it("grows by an eighth of what the client is sent", () => {
		fc.assert(
			fc.property(fc.nat(1e9), (written) => {
				const budget = createTalkBudget(MAX_MESSAGE_BYTES, 0);
				const allowed = TALK_BYTES + Math.floor(written / 8);
				expect(budget.isOver(allowed, written, 1)).toBe(false);
				expect(budget.isOver(allowed + 1, written, 1)).toBe(true);
			}),
		);
	});

	it("never makes less allowed than before: one more call, message or byte sent", () => {
		const step = fc.constantFrom("begin", "message");
		fc.assert(
			fc.property(fc.array(step, { maxLength: 30 }), fc.nat(1e7), fc.nat(1e7), (steps, read, written) => {
				const less = createTalkBudget(MAX_MESSAGE_BYTES, 0);
				const more = createTalkBudget(MAX_MESSAGE_BYTES, 0);
				for (const one of steps) {
					less[one]();
					more[one]();
				}
				more.message();
				if (!less.isOver(read, written, 1)) expect(more.isOver(read, written + 1, 1)).toBe(false);
			}),
		);
	});

	it("cannot be made by calls that have ended a minute ago", () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 1_000 }), (calls) => {
				const budget = createTalkBudget(MAX_MESSAGE_BYTES, 0);
				for (let count = 0; count < calls; count += 1) {
					budget.begin();
					budget.end(0);
				}
				budget.isOver(0, 0, MINUTE_MS);
				expect(budget.isOver(TALK_BYTES + 1, 0, MINUTE_MS + 1)).toBe(true);
			}),
		);
	});
});
