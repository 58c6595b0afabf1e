import { expect, it } from "vitest";
import { chooseProgress } from "./progress-display.js";

const asked = { progress: true, logLevel: "info" };
const terminal = { isTTY: true };

it("is bars on a terminal, and lines elsewhere", () => {
	expect(chooseProgress(asked, terminal, { TERM: "xterm" })).toBe("bars");
	expect(chooseProgress(asked, terminal, {})).toBe("bars");
	expect(chooseProgress(asked, { isTTY: false }, { TERM: "xterm" })).toBe("lines");
	expect(chooseProgress(asked, {}, {})).toBe("lines");
});

it("is lines where every line is kept or no cursor can be moved", () => {
	expect(chooseProgress(asked, terminal, { CI: "true" })).toBe("lines");
	expect(chooseProgress(asked, terminal, { CI: "1", TERM: "xterm" })).toBe("lines");
	expect(chooseProgress(asked, terminal, { CI: "false" })).toBe("bars");
	expect(chooseProgress(asked, terminal, { TERM: "dumb" })).toBe("lines");
});

it("is nothing when it is not wanted, or silence is", () => {
	expect(chooseProgress({ ...asked, progress: false }, terminal, {})).toBe("none");
	expect(chooseProgress({ ...asked, logLevel: "silent" }, {}, {})).toBe("none");
});
