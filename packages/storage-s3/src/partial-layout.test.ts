import { expect, test } from "vitest";
import { furthest, groupPartials, MAX_PARTS, noteKey, partialFolder, partKey } from "./partial-layout.js";

const NAME = "a".repeat(64);
const [ONE, TWO] = ["1".repeat(32), "2".repeat(32)];
const object = (key: string, bytes = 10) => ({ key, bytes, etag: `"${key}"` });

test("parts are told by upload, up to the first that is missing", () => {
	const objects = [1, 2, 4, 10_000].map((number) => object(partKey(NAME, ONE, number)));
	const grouped = groupPartials([
		...objects,
		object(noteKey(NAME, ONE)),
		object(partKey(NAME, TWO, 2)),
		object(`${partialFolder(NAME)}${TWO}/something`),
		object("partial/else"),
	]);
	expect(grouped.map(({ uploadId, bytes, parts }) => [uploadId, bytes, parts.length])).toEqual([
		[ONE, 20, 2],
		[TWO, 0, 0],
	]);
	expect(grouped[0]?.keys.length).toBe(5);
});

test("what came furthest is gone on with, if it has a note and bytes", () => {
	const upload = (id: string, sizes: readonly number[], isNoted = true) => [
		...sizes.map((bytes, index) => object(partKey(NAME, id, index + 1), bytes)),
		...(isNoted ? [object(noteKey(NAME, id))] : []),
	];
	const find = (...objects: ReturnType<typeof object>[]) => furthest(groupPartials(objects))?.uploadId;
	expect(find(...upload(ONE, [5, 5]), ...upload(TWO, [11]))).toBe(TWO);
	expect(find(...upload(ONE, [5, 5]), ...upload(TWO, [11], false))).toBe(ONE);
	expect(find(...upload(ONE, []))).toBeUndefined();
	expect(find()).toBeUndefined();
});

test("an object has 10,000 parts at most", () => {
	expect(partKey(NAME, ONE, MAX_PARTS)).toMatch(/\/010000$/);
	expect(() => partKey(NAME, ONE, MAX_PARTS + 1)).toThrow(
		expect.objectContaining({
			_tag: "StoreFault",
			retryable: false,
			message: expect.stringContaining("partBytes"),
		}),
	);
});
