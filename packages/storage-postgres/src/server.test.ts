import { expect, test } from "vitest";
import { describeLag } from "./server.js";

test.each([-5_000, 0, 59_999])("a lag of %i ms is not worth a word", (lagMs) => {
	expect(describeLag(lagMs)).toBeUndefined();
});

test("a lag of more than a minute is told of, with where to look", () => {
	expect(describeLag(61_500)).toMatch(/open for 61 s or more.*pg_stat_activity/);
});
