import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBlockWriters } from "./block-writer.js";

const MAX_BLOCK_BYTES = 1024 * 1024;
const PIECE_BYTES = MAX_BLOCK_BYTES / 16;
const bytesOf = (length: number, first = 0) =>
	Uint8Array.from({ length }, (_, index) => (first + index) % 251);

/** A write that ends when it is told to. */
function heldWrites() {
	const blocks: Buffer[] = [];
	const ends: { resolve(): void; reject(error: Error): void }[] = [];
	const write = (block: Uint8Array): Promise<void> =>
		new Promise((resolve, reject) => {
			blocks.push(Buffer.from(block));
			ends.push({ resolve, reject });
		});
	return { blocks, ends, write };
}

const hasSettled = async (promise: Promise<void>): Promise<boolean> => {
	const pending = Symbol();
	await new Promise((resolve) => setImmediate(resolve));
	return (await Promise.race([promise.catch(() => undefined), Promise.resolve(pending)])) !== pending;
};

describe("a block writer", () => {
	it("writes what came, in order, whatever its pieces, one block at a time", async () => {
		const lengths = fc.array(fc.oneof(fc.nat(3_000), fc.nat(400_000)), { maxLength: 12 });
		await fc.assert(
			fc.asyncProperty(lengths, fc.integer({ min: 1, max: 200 }), async (pieces, writers) => {
				const writer = createBlockWriters();
				for (let other = 1; other < writers; other += 1) writer.begin(async () => undefined);
				const written: Buffer[] = [];
				let underway = 0;
				const { add, flush, end } = writer.begin(async (block) => {
					underway += 1;
					expect(underway).toBe(1);
					await Promise.resolve();
					written.push(Buffer.from(block));
					underway -= 1;
				});
				const all: Uint8Array[] = [];
				for (const [index, length] of pieces.entries()) {
					const piece = bytesOf(length, index);
					all.push(piece);
					const given = piece.slice();
					await add(given);
					// Whoever gave it may use its place for something else.
					given.fill(255);
				}
				await flush();
				end();
				expect(Buffer.concat(written).equals(Buffer.concat(all))).toBe(true);
			}),
			{ numRuns: 50 },
		);
	});

	/** Adds so many bytes of `value` in pieces of which none is as good as a block. */
	const addPieces = async (
		add: (chunk: Uint8Array) => Promise<void>,
		{ bytes, value = 1 }: { readonly bytes: number; readonly value?: number },
	): Promise<void> => {
		for (let left = bytes; left > 0; left -= PIECE_BYTES) {
			await add(new Uint8Array(Math.min(left, PIECE_BYTES)).fill(value));
		}
	};

	it("takes more while one block is written, and no more than fills the next", async () => {
		const { blocks, ends, write } = heldWrites();
		const { add } = createBlockWriters().begin(write);
		await addPieces(add, { bytes: MAX_BLOCK_BYTES });
		expect(blocks.map(({ length }) => length)).toEqual([MAX_BLOCK_BYTES]);
		await addPieces(add, { bytes: MAX_BLOCK_BYTES - 1 });
		const more = add(bytesOf(1));
		expect(await hasSettled(more)).toBe(false);
		expect(blocks).toHaveLength(1);
		ends[0]?.resolve();
		await more;
		expect(blocks).toHaveLength(2);
	});

	it("leaves a block alone until it is written", async () => {
		const given: Uint8Array[] = [];
		const ends: (() => void)[] = [];
		const { add } = createBlockWriters().begin(
			(block) =>
				new Promise((resolve) => {
					given.push(block);
					ends.push(resolve);
				}),
		);
		await addPieces(add, { bytes: MAX_BLOCK_BYTES, value: 1 });
		await addPieces(add, { bytes: MAX_BLOCK_BYTES - 1, value: 2 });
		expect(given[0]?.every((byte) => byte === 1)).toBe(true);
		ends[0]?.();
	});

	it("hands on what is as good as a block as it is, and resolves once that is written", async () => {
		const { blocks, ends, write } = heldWrites();
		const { add, flush } = createBlockWriters().begin(write);
		const large = add(bytesOf(MAX_BLOCK_BYTES / 2));
		await new Promise((resolve) => setImmediate(resolve));
		expect(blocks).toEqual([Buffer.from(bytesOf(MAX_BLOCK_BYTES / 2))]);
		expect(await hasSettled(large)).toBe(false);
		ends[0]?.resolve();
		await large;
		// Behind what is not written yet, it takes its place among the others.
		await add(bytesOf(3));
		await add(bytesOf(MAX_BLOCK_BYTES - 3));
		ends[1]?.resolve();
		await flush();
		expect(blocks.map(({ length }) => length)).toEqual([MAX_BLOCK_BYTES / 2, MAX_BLOCK_BYTES]);
	});

	it("writes what waited longer than a moment, though its block is not full", async () => {
		const { blocks, ends, write } = heldWrites();
		const { add } = createBlockWriters().begin(write);
		await add(bytesOf(10));
		expect(blocks).toHaveLength(0);
		await new Promise((resolve) => setTimeout(resolve, 210));
		await add(bytesOf(5));
		expect(blocks.map(({ length }) => length)).toEqual([15]);
		ends[0]?.resolve();
	});

	it("tells whoever comes next that a write failed, and flush, and writes nothing behind it", async () => {
		const { blocks, ends, write } = heldWrites();
		const { add, flush } = createBlockWriters().begin(write);
		await addPieces(add, { bytes: MAX_BLOCK_BYTES });
		ends[0]?.reject(new Error("no space"));
		await new Promise((resolve) => setImmediate(resolve));
		await expect(add(bytesOf(MAX_BLOCK_BYTES))).rejects.toThrow("no space");
		await expect(addPieces(add, { bytes: MAX_BLOCK_BYTES })).rejects.toThrow("no space");
		await expect(flush()).rejects.toThrow("no space");
		expect(blocks).toHaveLength(1);
	});

	it("flushes nothing where nothing came", async () => {
		const { blocks, write } = heldWrites();
		const { flush } = createBlockWriters().begin(write);
		await flush();
		expect(blocks).toEqual([]);
	});
});

describe("block writers", () => {
	const blockOf = async (writers: ReturnType<typeof createBlockWriters>): Promise<number> => {
		let first = 0;
		const { add, flush, end } = writers.begin(async (block) => {
			first ||= block.length;
		});
		for (let at = 0; at < 2 * MAX_BLOCK_BYTES; at += 1_000) await add(bytesOf(1_000));
		await flush();
		end();
		return first;
	};

	it("make smaller blocks the more of them there are, so that all together hold no more", async () => {
		const writers = createBlockWriters();
		const others = Array.from({ length: 63 }, () => writers.begin(async () => undefined));
		expect(await blockOf(writers)).toBe((6 * MAX_BLOCK_BYTES) / 64);
		for (const { end } of others) {
			end();
			// Idempotent: a writer counts once.
			end();
		}
		expect(await blockOf(writers)).toBe(MAX_BLOCK_BYTES);
	});
});
