// The queue without a server: what is sent together, in which order, and what becomes of what fails.

import { isStoreFault, toPosition } from "@reelkeep/core/ports";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { AppendQueue, type AppendQueueOptions } from "./append-queue.js";
import { type Decided, type EncodedAppend, encodeAppend } from "./append-statement.js";

const append = (stream: string, id = stream, bytes = 1): EncodedAppend =>
	encodeAppend(
		stream,
		[{ id, type: "T", schemaVersion: 1, data: { x: "x".repeat(bytes) }, metadata: {} }],
		"any",
		0,
	);

const appended: Decided = { _tag: "Appended", version: 1, position: toPosition(1) };
const idsOf = (batch: readonly EncodedAppend[]) => batch.map(({ events }) => events[0]?.id ?? "");
const withCode = (code: string): Error => Object.assign(new Error("refused"), { code });

/** A queue in front of `send`, and the batches that it sent. */
function given(
	send: (batch: readonly EncodedAppend[], nth: number) => Promise<readonly Decided[]>,
	options: Partial<AppendQueueOptions> = {},
) {
	const sent: (readonly string[])[] = [];
	const queue = new AppendQueue({
		async send(batch) {
			sent.push(idsOf(batch));
			return { decided: await send(batch, sent.length), behind: undefined };
		},
		whenVisible: async () => undefined,
		onDurable: () => undefined,
		statements: 2,
		maxPendingAppends: 100,
		maxPendingBytes: 1_000_000,
		...options,
	});
	return { queue, sent };
}

const accept = async (batch: readonly EncodedAppend[]) => batch.map(() => appended);

describe("what is sent together", () => {
	test("is what was appended in one go", async () => {
		const { queue, sent } = given(accept);
		await Promise.all(["a", "b", "c"].map((stream) => queue.append(append(stream))));
		expect(sent).toEqual([["a", "b", "c"]]);
	});

	test("never has a stream twice, nor one of a statement under way", async () => {
		const { queue, sent } = given(accept);
		await Promise.all([
			queue.append(append("a", "a1")),
			queue.append(append("b", "b1")),
			queue.append(append("a", "a2")),
			queue.append(append("a", "a3")),
			queue.append(append("b", "b2")),
		]);
		expect(sent).toEqual([["a1", "b1"], ["a2", "b2"], ["a3"]]);
	});

	test("is bounded in events and in bytes", async () => {
		const { queue, sent } = given(accept, { maxPendingAppends: 5_000, maxPendingBytes: 1e9, statements: 1 });
		await Promise.all(Array.from({ length: 2_500 }, (_, index) => queue.append(append(`s${index}`))));
		expect(sent.map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
		sent.length = 0;
		await Promise.all(
			Array.from({ length: 6 }, (_, index) => queue.append(append(`s${index}`, "l", 2 ** 21))),
		);
		expect(sent.map(({ length }) => length)).toEqual([2, 2, 2]);
	});
});

describe("what fails", () => {
	test("is sent again when another transaction was faster, before what followed in its stream", async () => {
		const { queue, sent } = given(async (batch, nth) =>
			batch.map((): Decided => (nth === 1 ? { _tag: "Overtaken" } : appended)),
		);
		await Promise.all([queue.append(append("a", "a1")), queue.append(append("a", "a2"))]);
		expect(sent).toEqual([["a1"], ["a1"], ["a2"]]);
	});

	test("is sent again whole when it was the victim of a deadlock", async () => {
		const { queue, sent } = given(async (batch, nth) => {
			if (nth < 3) throw withCode("40P01");
			return accept(batch);
		});
		await Promise.all(["a", "b"].map((stream) => queue.append(append(stream))));
		expect(sent).toEqual([
			["a", "b"],
			["a", "b"],
			["a", "b"],
		]);
	});

	test("is overloaded after as many races as nobody loses by chance", async () => {
		const { queue, sent } = given(async () => {
			throw withCode("40001");
		});
		await expect(queue.append(append("a"))).rejects.toMatchObject({ reason: "overloaded", retryable: true });
		expect(sent).toHaveLength(65);
		await queue.drain();
	});

	test("fails alone when the server will not take its values", async () => {
		const { queue } = given(async (batch) => {
			if (idsOf(batch).includes("bad")) throw withCode("22P02");
			return accept(batch);
		});
		const results = await Promise.allSettled(["a", "bad", "c"].map((stream) => queue.append(append(stream))));
		expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
		await queue.drain();
	});

	test("fails with all that was sent with it when the server is gone", async () => {
		const { queue } = given(async () => {
			throw withCode("ECONNRESET");
		});
		const results = await Promise.allSettled(["a", "b"].map((stream) => queue.append(append(stream))));
		for (const result of results) {
			expect(result.status === "rejected" && isStoreFault(result.reason) && result.reason.retryable).toBe(
				true,
			);
		}
		await queue.drain();
	});

	test("is refused at once when too much waits", async () => {
		const { queue } = given(accept, { maxPendingAppends: 2 });
		const waiting = [queue.append(append("a")), queue.append(append("b"))];
		expect(() => queue.append(append("c"))).toThrow(expect.objectContaining({ reason: "overloaded" }));
		await Promise.all(waiting);
		await queue.append(append("c"));
		const small = given(accept, { maxPendingBytes: 50 });
		expect(() => small.queue.append(append("d", "d", 100))).toThrow(
			expect.objectContaining({ reason: "overloaded" }),
		);
	});
});

test("nobody is answered before readers of the log see it, and others are sent meanwhile", async () => {
	let show = (): void => undefined;
	const whenVisible = vi.fn(() => new Promise<void>((resolve) => (show = resolve)));
	const sent: (readonly string[])[] = [];
	const queue = new AppendQueue({
		async send(batch) {
			sent.push(idsOf(batch));
			return { decided: await accept(batch), behind: sent.length === 1 ? 7n : undefined };
		},
		whenVisible,
		onDurable: () => undefined,
		statements: 1,
		maxPendingAppends: 10,
		maxPendingBytes: 10_000,
	});
	let answered = false;
	const first = queue.append(append("a", "a1")).then(() => {
		answered = true;
	});
	await vi.waitFor(() => expect(sent).toHaveLength(1));
	await queue.append(append("b"));
	const second = queue.append(append("a", "a2"));
	expect(whenVisible).toHaveBeenCalledWith(7n);
	expect([answered, sent]).toEqual([false, [["a1"], ["b"]]]);
	show();
	await Promise.all([first, second, queue.drain()]);
	expect(sent).toEqual([["a1"], ["b"], ["a2"]]);
});

test("an append that another was faster than does not wait for what came with it to be seen", async () => {
	let show = (): void => undefined;
	const sent: (readonly string[])[] = [];
	const { queue } = given(accept, {
		async send(batch) {
			sent.push(idsOf(batch));
			const decided = batch.map((): Decided => (sent.length === 1 ? { _tag: "Overtaken" } : appended));
			return {
				decided: [appended, ...decided].slice(0, batch.length),
				behind: sent.length === 1 ? 7n : undefined,
			};
		},
		whenVisible: () => new Promise<void>((resolve) => (show = resolve)),
	});
	let answered = false;
	const first = queue.append(append("a")).then(() => {
		answered = true;
	});
	await queue.append(append("b"));
	expect([answered, sent]).toEqual([false, [["a", "b"], ["b"]]]);
	show();
	await Promise.all([first, queue.drain()]);
});

test("appends to one stream are sent in the order of the calls, each until it is settled, whatever fails", async () => {
	const call = fc.record({ stream: fc.nat({ max: 3 }), pauses: fc.nat({ max: 3 }) });
	const fate = fc.constantFrom("ok", "ok", "overtaken", "deadlock", "refused");
	await fc.assert(
		fc.asyncProperty(
			fc.array(call, { maxLength: 20 }),
			fc.array(fate, { maxLength: 10 }),
			async (calls, fates) => {
				const left = [...fates];
				const settled = new Map<string, string[]>();
				const { queue } = given(async (batch) => {
					const next = left.shift() ?? "ok";
					await Promise.resolve();
					if (next === "deadlock") throw withCode("40P01");
					if (next === "refused" && batch.length > 1) throw withCode("22000");
					return batch.map((): Decided => (next === "overtaken" ? { _tag: "Overtaken" } : appended));
				});
				const appends: Promise<unknown>[] = [];
				for (const [index, { stream, pauses }] of calls.entries()) {
					const name = `s${stream}`;
					appends.push(
						queue.append(append(name, String(index))).then(() => {
							settled.set(name, [...(settled.get(name) ?? []), String(index)]);
						}),
					);
					for (let turn = 0; turn < pauses; turn += 1) await Promise.resolve();
				}
				await Promise.all([...appends, queue.drain()]);
				for (const [name, order] of settled) {
					const called = calls.flatMap(({ stream }, index) => (`s${stream}` === name ? [String(index)] : []));
					expect(order).toEqual(called);
				}
			},
		),
	);
});
