import { expect, test } from "vitest";
import { eventImportSuite } from "./event-import.js";
import { flawedImports } from "./test-flawed-imports.js";
import { importFlaws } from "./test-flaws-imports.js";
import { failingOf, testFlaws } from "./test-suite-flaws.js";

test("a sound log passes, in which flaws are planted", async () => {
	expect(await failingOf(eventImportSuite(flawedImports()))).toEqual([]);
});

testFlaws("import", eventImportSuite, importFlaws);
