import { createHash, randomBytes } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { createVideoHashes, type VideoHashes } from "./video-hash.js";

const BYTES = randomBytes(5 * 1024 * 1024);
const shaOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

let all: VideoHashes[] = [];
afterEach(() => {
	for (const hashes of all) hashes.close();
	all = [];
});
function make(): VideoHashes {
	const hashes = createVideoHashes({ hasThread: true });
	all.push(hashes);
	return hashes;
}

describe("hashes of videos", () => {
	it("are those of all bytes in order, whatever their pieces, several at a time", async () => {
		const hashes = make();
		const piece = fc.oneof(fc.nat(300), fc.integer({ min: 64 * 1024, max: 2_500_000 }));
		const video = fc.array(piece, { maxLength: 6 });
		await fc.assert(
			fc.asyncProperty(fc.array(video, { minLength: 1, maxLength: 5 }), async (videos) => {
				const digests = videos.map(async (pieces) => {
					const hash = hashes.begin();
					let at = 0;
					for (const bytes of pieces) {
						const chunk = Buffer.from(BYTES.subarray(at, at + bytes));
						at += chunk.length;
						await hash.update(chunk);
						// Whoever gave it may use its place for something else.
						chunk.fill(0);
					}
					const digest = await hash.digest();
					hash.end();
					expect(digest).toBe(shaOf(BYTES.subarray(0, at)));
				});
				await Promise.all(digests);
			}),
			{ numRuns: 25 },
		);
	}, 30_000);

	it("say what they are so far, and go on", async () => {
		const hash = make().begin();
		expect(await hash.digest()).toBe(shaOf(Buffer.alloc(0)));
		const large = make().begin();
		await large.update(BYTES.subarray(0, 1_000_000));
		expect(await large.digest()).toBe(shaOf(BYTES.subarray(0, 1_000_000)));
		await large.update(BYTES.subarray(1_000_000));
		expect(await large.digest()).toBe(shaOf(BYTES));
		for (const each of [hash, large]) each.end();
	});

	it("take chunks without waiting for each other's order", async () => {
		const hash = make().begin();
		const pieces = Array.from({ length: 20 }, (_, index) =>
			BYTES.subarray(index * 200_000, (index + 1) * 200_000),
		);
		await Promise.all(pieces.map((each) => hash.update(each)));
		expect(await hash.digest()).toBe(shaOf(BYTES.subarray(0, 4_000_000)));
		hash.end();
	});

	it("leave the event loop to others: half of what they cost in place at most", async () => {
		const hash = make().begin();
		await hash.update(BYTES);
		await hash.digest();
		const busyOf = async (work: () => Promise<unknown>): Promise<number> => {
			const before = performance.eventLoopUtilization();
			await work();
			return performance.eventLoopUtilization(before).active;
		};
		const rounds: number[] = [];
		for (let round = 0; round < 5; round += 1) {
			const inPlace = createHash("sha256");
			const own = await busyOf(async () => {
				for (let times = 0; times < 20; times += 1) inPlace.update(BYTES);
				await new Promise((resolve) => setImmediate(resolve));
			});
			const thread = await busyOf(async () => {
				for (let times = 0; times < 20; times += 1) await hash.update(BYTES);
				await hash.digest();
			});
			rounds.push(thread / own);
		}
		expect(rounds.sort((left, right) => left - right)[2]).toBeLessThan(0.5);
		hash.end();
	});

	it("still end when their store is closed, and begin anew after that", async () => {
		const hashes = make();
		const hash = hashes.begin();
		await hash.update(BYTES);
		hashes.close();
		expect(await hash.digest()).toBe(shaOf(BYTES));
		hash.end();
		hash.end();
		const later = hashes.begin();
		await later.update(BYTES);
		expect(await later.digest()).toBe(shaOf(BYTES));
		later.end();
	});
});
