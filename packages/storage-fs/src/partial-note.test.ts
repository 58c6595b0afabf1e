import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeNote, encodeMark, encodeNote } from "./partial-note.js";

const NAME = `${"0123456789abcdef".repeat(4)}.fedcba9876543210`;
const marks = fc
	.uniqueArray(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { minLength: 1, maxLength: 20 })
	.map((all) => all.sort((a, b) => a - b));

/** The file, and where each of its lines ends. */
function fileOf(note: string, all: readonly number[], name = NAME) {
	const lines = [encodeNote(name, note), ...all.map((bytes) => encodeMark(name, bytes))];
	let end = 0;
	const ends = lines.map((line) => (end += line.length));
	return { content: Buffer.concat(lines), ends };
}

test("a note is read as it was written, up to the last mark", () => {
	const note = fc.string({ unit: "binary", maxLength: 200 });
	fc.assert(
		fc.property(note, marks, (text, all) => {
			const { content } = fileOf(text, all);
			const decoded = decodeNote(NAME, content, Number.MAX_SAFE_INTEGER);
			expect(decoded).toEqual({ note: text, bytes: all.at(-1), end: content.length });
		}),
	);
});

test("cut anywhere, with anything behind the cut, it says what its last whole mark said", () => {
	const garbage = fc.uint8Array({ maxLength: 100 });
	fc.assert(
		fc.property(marks, fc.nat(), garbage, (all, at, behind) => {
			const { content, ends } = fileOf("n", all);
			const cut = at % (content.length + 1);
			const whole = ends.filter((end) => end <= cut).length - 1;
			const decoded = decodeNote(
				NAME,
				Buffer.concat([content.subarray(0, cut), behind]),
				Number.MAX_SAFE_INTEGER,
			);
			// The garbage may be just what was cut off.
			const isSame = content.subarray(cut, cut + 1)[0] === behind[0];
			if (isSame) return;
			const expected = whole < 1 ? undefined : { note: "n", bytes: all[whole - 1], end: ends[whole] };
			expect(decoded).toEqual(expected);
		}),
		{ numRuns: 500 },
	);
});

test("a mark is not believed that the file does not bear out, that goes back, or that another upload made", () => {
	const { content, ends } = fileOf("n", [5, 10]);
	expect(decodeNote(NAME, content, 9)).toEqual({ note: "n", bytes: 5, end: ends[1] });
	expect(decodeNote(NAME, content, 4)).toBeUndefined();
	const back = Buffer.concat([content, encodeMark(NAME, 10), encodeMark(NAME, 11)]);
	expect(decodeNote(NAME, back, 100)).toEqual({ note: "n", bytes: 10, end: ends[2] });
	const others = Buffer.concat([content, encodeMark("another", 50)]);
	expect(decodeNote(NAME, others, 100)).toMatchObject({ bytes: 10 });
	expect(decodeNote("another", content, 100)).toBeUndefined();
	for (const text of ["0", "-1", "1e3", "1.5", "", "99999999999999999", " 7"]) {
		const wrong = Buffer.from(String(encodeMark(NAME, 7)).replace("7 ", `${text} `));
		expect(decodeNote(NAME, Buffer.concat([content, wrong]), 100)).toMatchObject({ bytes: 10 });
	}
});
