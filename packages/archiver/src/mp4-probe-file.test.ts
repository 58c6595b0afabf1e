import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeEach, describe, expect, it } from "vitest";
import { createFileWalk, MAX_INDEX_BYTES } from "./mp4-probe-file.js";

const KIB = 1024;
const MIB = 1024 * KIB;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

/** Bytes of this process's buffers, also of those that nobody holds and nobody has collected yet. */
const bufferBytes = (): number => process.memoryUsage().arrayBuffers;

/** The header of a box that states `size`. */
function header(type: string, size: number): Buffer {
	const bytes = Buffer.alloc(8);
	bytes.writeUInt32BE(size);
	bytes.write(type, 4, "latin1");
	return bytes;
}

// What the test before held would else be given back, and seem to be less, while the next one measures.
beforeEach(async () => {
	for (let times = 0; times < 2; times += 1) {
		await new Promise((resolve) => setImmediate(resolve));
		collectGarbage();
	}
});

describe("what is held of a file", () => {
	it.each([
		["of a stated size", MAX_INDEX_BYTES],
		["that goes on to the end", 0],
	])("is an index %s of at most 32 MiB, and the smaller rooms that it had before", (_what, size) => {
		const walk = createFileWalk();
		const chunk = Buffer.alloc(64 * KIB, 7);
		const before = bufferBytes();
		walk.update(header("ftyp", 8));
		walk.update(header("moov", size));
		let most = 0;
		for (let came = 8; came < MAX_INDEX_BYTES; came += chunk.length) {
			walk.update(chunk.subarray(0, MAX_INDEX_BYTES - came));
			most = Math.max(most, bufferBytes() - before);
		}
		// These rooms double up to 4 MiB: all of them are 8.
		expect(most).toBeLessThan(41 * MIB);
		const [index] = walk.result().indexes;
		expect(index?.length).toBe(MAX_INDEX_BYTES - 8);
		expect(index?.every((byte) => byte === 7)).toBe(true);
	});

	it("grows with what comes, not with what is claimed", () => {
		const before = bufferBytes();
		const walks = Array.from({ length: 64 }, createFileWalk);
		for (const walk of walks) {
			walk.update(header("ftyp", 8));
			walk.update(header("moov", MAX_INDEX_BYTES));
			walk.update(Buffer.alloc(16 * KIB));
		}
		expect(bufferBytes() - before).toBeLessThan(64 * 64 * KIB);
		expect(walks.every((walk) => walk.result().problem?.includes("bytes are missing"))).toBe(true);
	});
});
