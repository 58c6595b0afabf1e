import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinHash, type StreamHash } from "./stream-hash.js";
import { StreamTable } from "./stream-table.js";

/** A fixed sequence that looks random. */
function numbers(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state;
	};
}

/** The table, and beside it what it should know: the hash and the last event of each stream. */
class Pair {
	readonly table = new StreamTable();
	readonly #streams: { readonly hash: StreamHash; last: number }[] = [];
	#position = 0;

	get streams(): number {
		return this.#streams.length;
	}

	create(hash: StreamHash): void {
		this.#position += 1;
		this.table.set(hash, 0, this.#position);
		this.#streams.push({ hash, last: this.#position });
	}

	move(stream: number): void {
		const known = this.#streams[stream % this.#streams.length];
		if (known === undefined) return;
		this.#position += 1;
		this.table.set(known.hash, known.last, this.#position);
		known.last = this.#position;
	}

	check(hashes: Iterable<StreamHash> = this.#streams.map(({ hash }) => hash)): void {
		const lasts = new Map<StreamHash, number[]>();
		for (const { hash, last } of this.#streams) lasts.set(hash, [...(lasts.get(hash) ?? []), last]);
		const isWrong = (hash: StreamHash) =>
			String(sorted(this.table.candidates(hash))) !== String(sorted(lasts.get(hash) ?? []));
		expect([...hashes].filter(isWrong)).toEqual([]);
		expect(this.table.streams).toBe(this.#streams.length);
	}
}

const sorted = (positions: readonly number[]) => [...positions].sort((a, b) => a - b);

// Few, so that they collide: whole, in the fingerprint only, in the slot only; and at both ends of a shard's slots.
const FINGERPRINTS = [0, 1, 0x0fff_ffff, 0x1000_0000, 0x8000_0000, 0xf000_0000, 0xffff_fffe, 0xffff_ffff];
const HASHES = [0, 1, 255].flatMap((shard) =>
	FINGERPRINTS.map((fingerprint) => joinHash(shard, fingerprint)),
);

describe("the table", () => {
	test("knows no stream that was not set", () => {
		const { table } = new Pair();
		for (const hash of HASHES) expect(table.candidates(hash)).toEqual([]);
		expect(table.streams).toBe(0);
	});

	test("tells of each hash the last events of just its streams, as a plain map would", () => {
		const create = fc.record({ create: fc.constantFrom(...HASHES) });
		const move = fc.record({ move: fc.nat() });
		fc.assert(
			fc.property(fc.array(fc.oneof(create, move), { maxLength: 200, size: "max" }), (steps) => {
				const pair = new Pair();
				for (const step of steps) {
					if ("create" in step) pair.create(step.create);
					else pair.move(step.move);
				}
				pair.check(HASHES);
			}),
			{ numRuns: 100 },
		);
	});

	test("keeps apart many streams of one and the same hash", () => {
		const pair = new Pair();
		const [hash] = HASHES as [StreamHash];
		for (let stream = 0; stream < 200; stream += 1) pair.create(hash);
		for (let stream = 0; stream < 200; stream += 3) pair.move(stream);
		pair.check(HASHES);
		expect(pair.table.candidates(hash).length).toBe(200);
	});

	test("goes on at the first slot behind the last one, also while it grows", () => {
		const pair = new Pair();
		const shard = 7;
		// All belong into the last slot of 16, then of 32; the last ones into the slots that those have taken.
		const hashes = [0xffff_fff0, 0xffff_fff8, 0xf800_0001, 0xffff_ffff, 0, 1, 0x1000_0000].map(
			(fingerprint) => joinHash(shard, fingerprint),
		);
		for (let round = 0; round < 8; round += 1) {
			for (const hash of hashes) {
				pair.create(hash);
				pair.move(round * 13);
				pair.check(hashes);
			}
		}
		expect(pair.table.streams).toBe(56);
	});

	test("holds 100,000 streams and all their moves, in 11 to 22 bytes each", () => {
		const next = numbers(1);
		const pair = new Pair();
		const hashes = new Set<StreamHash>();
		while (pair.streams < 100_000) {
			const hash = joinHash(next() >>> 24, next());
			hashes.add(hash);
			pair.create(hash);
			if (pair.streams % 3 === 0) pair.move(next());
			if (pair.streams < 10_000 || pair.streams % 5000 !== 0) continue;
			// Never more than three of four slots are taken, nor, since the last growth, less than three of eight.
			expect(pair.table.bytes / pair.streams).toBeGreaterThan(10.6);
			expect(pair.table.bytes / pair.streams).toBeLessThanOrEqual(22);
		}
		pair.check();
		let found = 0;
		for (let round = 0; round < 100_000; round += 1) {
			const hash = joinHash(next() >>> 24, next());
			if (!hashes.has(hash)) found += pair.table.candidates(hash).length;
		}
		expect(found).toBe(0);
	});
});
