import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DownloadNote, readNote, writeNote } from "./download-note.js";

describe("the note of a download", () => {
	it("is read as it was written", () => {
		const notes: fc.Arbitrary<DownloadNote> = fc.record(
			{ validator: fc.string(), totalBytes: fc.nat({ max: Number.MAX_SAFE_INTEGER }) },
			{ requiredKeys: ["validator"] },
		);
		fc.assert(
			fc.property(notes, (note) => {
				expect(readNote(writeNote(note))).toEqual(note);
			}),
		);
	});

	it("that is none of ours, or of a later release, is none", () => {
		const others = [
			"",
			"null",
			"7",
			'"text"',
			"[]",
			"{}",
			'{"version":1}',
			'{"version":1,"validator":7}',
			'{"version":2,"validator":"v"}',
			'{"version":"1","validator":"v"}',
			'{"validator":"v","totalBytes":7}',
			writeNote({ validator: "v" }).slice(0, -1),
		];
		expect(others.map(readNote)).toEqual(others.map(() => undefined));
		fc.assert(
			fc.property(fc.string(), (text) => {
				expect(readNote(text)).toBeUndefined();
			}),
		);
		fc.assert(
			fc.property(fc.json(), (text) => {
				expect(readNote(text)).toBeUndefined();
			}),
		);
	});

	it("with a length that is none counts as one without", () => {
		for (const totalBytes of ["7", 1.5, null, {}, 1e300]) {
			const text = JSON.stringify({ version: 1, validator: "v", totalBytes });
			expect(readNote(text)).toEqual({ validator: "v" });
		}
	});
});
