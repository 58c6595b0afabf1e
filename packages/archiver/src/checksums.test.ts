import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createChecksums } from "./checksums.js";

/** CRC-64/XZ, bit by bit: reflected, polynomial 0x42f0e1eba9ea3693, all ones before and behind. */
function naiveCrc64(bytes: Uint8Array): string {
	const ones = 2n ** 64n - 1n;
	let crc = ones;
	for (const byte of bytes) {
		crc ^= BigInt(byte);
		for (let bit = 0; bit < 8; bit += 1) {
			crc = (crc & 1n) === 0n ? crc >> 1n : (crc >> 1n) ^ 0xc96c5795d7870f42n;
		}
	}
	return (crc ^ ones).toString();
}

async function checksumsOf(...chunks: readonly Uint8Array[]) {
	const checksums = await createChecksums({ md5: "asked for", crc64: "asked for" });
	for (const chunk of chunks) checksums.update(chunk);
	return checksums.digest();
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const bytes = fc.uint8Array({ maxLength: 300 });

describe("checksums", () => {
	it("have the check value of CRC-64/XZ, in decimal", async () => {
		expect((await checksumsOf(text("123456789"))).crc64).toBe("11051210869376104954");
		expect(naiveCrc64(text("123456789"))).toBe("11051210869376104954");
	});

	it("of nothing are those of nothing", async () => {
		const md5 = "d41d8cd98f00b204e9800998ecf8427e";
		expect(await checksumsOf()).toEqual({ md5, crc64: "0" });
		expect(await checksumsOf(new Uint8Array())).toEqual({ md5, crc64: "0" });
	});

	it("are what bits and Node's own MD5 say, whatever the chunks are", async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(bytes, { maxLength: 6 }), async (chunks) => {
				const whole = Buffer.concat(chunks);
				const expected = { md5: createHash("md5").update(whole).digest("hex"), crc64: naiveCrc64(whole) };
				expect(await checksumsOf(...chunks)).toEqual(expected);
				expect(await checksumsOf(whole)).toEqual(expected);
			}),
			{ numRuns: 60 },
		);
	});

	it("are of the part of a buffer that a chunk is, not of all of it", async () => {
		const large = new Uint8Array(1_000).map((_, at) => at % 251);
		const part = large.subarray(333, 777);
		expect(await checksumsOf(part.subarray(0, 100), part.subarray(100))).toEqual(
			await checksumsOf(Uint8Array.from(part)),
		);
	});

	it("of chunks larger than a library's own buffer are right", async () => {
		const large = new Uint8Array(3 * 1024 * 1024 + 7).map((_, at) => (at * 31) % 256);
		const cut = 1_234_567;
		expect(await checksumsOf(large)).toEqual(await checksumsOf(large.subarray(0, cut), large.subarray(cut)));
		const tail = new Uint8Array(20_000).fill(7);
		expect((await checksumsOf(tail)).crc64).toBe(naiveCrc64(tail));
	});

	it("of several downloads at once do not mix", async () => {
		const [one, other] = await Promise.all([createChecksums({ crc64: "" }), createChecksums({ crc64: "" })]);
		for (const piece of ["1234", "56789"]) {
			one.update(text(piece));
			other.update(text(`x${piece}`));
		}
		expect(one.digest()).toEqual({ crc64: "11051210869376104954" });
		expect(other.digest()).toEqual({ crc64: naiveCrc64(text("x1234x56789")) });
	});

	it("are made only where they were asked for", async () => {
		expect((await createChecksums({})).digest()).toEqual({});
		expect(Object.keys((await createChecksums({ md5: "" })).digest())).toEqual(["md5"]);
	});
});
