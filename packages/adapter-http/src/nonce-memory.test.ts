import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NOW_MS } from "../test/harness.js";
import { createNonceMemory, type UsedNonce } from "./nonce-memory.js";

const TOLERANCE_MS = 600_000;
const used = (changes: Partial<UsedNonce> = {}): UsedNonce => ({
	appKey: "1",
	nonce: "12345678",
	signature: "a",
	sentAtMs: NOW_MS,
	...changes,
});
const memory = (maxNonces = 3) => createNonceMemory({ toleranceMs: TOLERANCE_MS, maxNonces });

describe("a nonce", () => {
	it("of another request is refused as long as the first could be authentic, and not a moment longer", () => {
		const { use } = memory();
		const sentAtMs = NOW_MS + TOLERANCE_MS;
		expect(use(used({ sentAtMs }), NOW_MS)).toBe("first");
		const last = sentAtMs + TOLERANCE_MS;
		expect(use(used({ signature: "b", sentAtMs: last }), last)).toBe("replayed");
		expect(use(used({ signature: "b", sentAtMs: last }), last + 1)).toBe("first");
	});

	it("of the same request is taken as often as it comes, a full memory or not", () => {
		const { use } = memory(1);
		expect(use(used(), NOW_MS)).toBe("first");
		for (let times = 0; times < 5; times++) expect(use(used(), NOW_MS + times)).toBe("again");
		expect(use(used({ nonce: "other-one" }), NOW_MS)).toBe("full");
		expect(use(used(), NOW_MS)).toBe("again");
	});

	it("of a request that is older than what is remembered is refused", () => {
		const { use } = memory();
		expect(use(used(), NOW_MS + TOLERANCE_MS)).toBe("first");
		expect(use(used(), NOW_MS + TOLERANCE_MS + 1)).toBe("out-of-time");
		expect(use(used({ nonce: "other-one" }), NOW_MS + TOLERANCE_MS + 1)).toBe("out-of-time");
	});

	it("of one app is nothing to another, nor is its room", () => {
		const { use } = memory(1);
		expect(use(used(), NOW_MS)).toBe("first");
		expect(use(used({ appKey: "2", signature: "b" }), NOW_MS)).toBe("first");
		expect(use(used({ appKey: "2", nonce: "other-one" }), NOW_MS)).toBe("full");
		expect(use(used({ signature: "c" }), NOW_MS)).toBe("replayed");
	});

	it("pushes no other one out of a full memory, and finds room once others are out of time", () => {
		const { use } = memory(2);
		expect(use(used({ nonce: "nonce--1" }), NOW_MS)).toBe("first");
		expect(use(used({ nonce: "nonce--2", sentAtMs: NOW_MS + 60_000 }), NOW_MS)).toBe("first");
		for (let other = 0; other < 50; other++) {
			expect(use(used({ nonce: `other--${other}` }), NOW_MS)).toBe("full");
		}
		expect(use(used({ nonce: "nonce--1", signature: "b" }), NOW_MS)).toBe("replayed");
		// Looked for every 10 s.
		const later = NOW_MS + TOLERANCE_MS + 10_000;
		expect(use(used({ nonce: "nonce--3", sentAtMs: later }), later)).toBe("first");
		expect(use(used({ nonce: "nonce--4", sentAtMs: later }), later)).toBe("full");
		expect(use(used({ nonce: "nonce--2", signature: "b", sentAtMs: later }), later)).toBe("replayed");
	});

	it("finds room as soon after a clock was set back", () => {
		const { use } = memory(1);
		expect(use(used({ appKey: "2", sentAtMs: NOW_MS + 86_400_000 }), NOW_MS + 86_400_000)).toBe("first");
		expect(use(used(), NOW_MS)).toBe("first");
		const later = NOW_MS + TOLERANCE_MS + 10_000;
		expect(use(used({ nonce: "nonce--2", sentAtMs: later }), later)).toBe("first");
	});

	it("of a request of which nothing was kept is let go, once no repetition of it is under way", () => {
		const { use, settle } = memory(1);
		const anew = used({ signature: "b" });
		expect([use(used(), NOW_MS), use(used(), NOW_MS)]).toEqual(["first", "again"]);
		settle(used(), false);
		expect(use(anew, NOW_MS)).toBe("replayed");
		settle(used(), false);
		expect(use(anew, NOW_MS)).toBe("first");
		// What belongs to the first, and comes late, takes nothing from the second.
		settle(used(), false);
		expect(use(used(), NOW_MS)).toBe("replayed");
	});

	it("of a request of which something was kept stays used, whatever becomes of its repetitions", () => {
		const { use, settle } = memory();
		const anew = used({ signature: "b" });
		expect([use(used(), NOW_MS), use(used(), NOW_MS)]).toEqual(["first", "again"]);
		settle(used(), true);
		settle(used(), false);
		expect(use(anew, NOW_MS)).toBe("replayed");
		expect(use(used(), NOW_MS)).toBe("again");
		settle(used(), false);
		expect(use(anew, NOW_MS)).toBe("replayed");
	});

	it("that was cut out of a long text does not keep that text in memory", () => {
		setFlagsFromString("--expose-gc");
		const collect: () => void = runInNewContext("gc");
		const { use } = memory(500);
		collect();
		const before = process.memoryUsage().heapUsed;
		for (let count = 0; count < 500; count++) {
			const query = Buffer.from(`nonce---------${count}-${"x".repeat(256 * 1024)}`).toString();
			const nonce = query.slice(0, 20);
			const signature = query.slice(20, 40);
			expect(use(used({ nonce, signature }), NOW_MS)).toBe("first");
		}
		collect();
		expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 1024 * 1024);
		expect(use(used({ nonce: "one-more" }), NOW_MS)).toBe("full");
	});

	it("is accepted for one request only within the window, in any order of requests and time", () => {
		const step = fc.record({
			nonce: fc.constantFrom("nonce--1", "nonce--2", "nonce--3", "nonce--4", "nonce--5"),
			signature: fc.constantFrom("a", "b"),
			offsetMs: fc.integer({ min: -TOLERANCE_MS, max: TOLERANCE_MS }),
			passedMs: fc.integer({ min: 0, max: TOLERANCE_MS / 2 }),
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, maxNonces) => {
				const { use } = memory(maxNonces);
				const accepted: UsedNonce[] = [];
				let nowMs = NOW_MS;
				for (const { nonce, signature, offsetMs, passedMs } of steps) {
					nowMs += passedMs;
					// A signature covers its time: the same one is the same request.
					const known = accepted.find((one) => one.nonce === nonce && one.signature === signature);
					const request = known ?? used({ nonce, signature, sentAtMs: nowMs + offsetMs });
					const valid = accepted.filter(({ sentAtMs }) => nowMs - sentAtMs <= TOLERANCE_MS);
					const verdict = use(request, nowMs);
					if (nowMs - request.sentAtMs > TOLERANCE_MS) expect(verdict).toBe("out-of-time");
					else if (known !== undefined) expect(verdict).toBe("again");
					else if (valid.some((one) => one.nonce === nonce)) expect(verdict).toBe("replayed");
					else if (valid.length >= maxNonces) expect(verdict).toBe("full");
					else expect(["first", "full"]).toContain(verdict);
					if (verdict === "first") accepted.push(request);
				}
			}),
		);
	});
});
